"""The cookie that ties an OAuth state to the browser in which the sign-in began."""

from fastapi import Request, Response

from backend.core.signing import STATE_SECONDS

COOKIE = "kommo_stripe_oauth"
LONGEST = 100


def browser_of(request: Request, public_url: str) -> str:
    """Return the value that this browser got when a sign-in began in it; "" if none did."""
    return request.cookies.get(_name(public_url), "")[:LONGEST]


def keep_browser(answer: Response, browser: str, public_url: str) -> None:
    """Set the cookie on ``answer``.

    Lax, because Kommo's redirect is a top-level GET from another site: a strict cookie would not be sent.
    """
    answer.set_cookie(
        _name(public_url),
        browser,
        max_age=STATE_SECONDS,
        path="/",  # required by the prefix
        httponly=True,
        samesite="lax",
        secure=_is_https(public_url),
    )


def _name(public_url: str) -> str:
    """The name; under TLS with the prefix that makes browsers refuse a cookie set by another host or without TLS."""
    return f"__Host-{COOKIE}" if _is_https(public_url) else COOKIE


def _is_https(public_url: str) -> bool:
    return public_url.startswith("https://")
