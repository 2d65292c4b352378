"""The cookie that ties an OAuth state to the browser in which the sign-in was begun."""

from fastapi import Request, Response

from backend.core.signing import STATE_SECONDS

COOKIE = "kommo_stripe_oauth"
LONGEST = 100


def browser_of(request: Request, public_url: str) -> str:
    """What this browser was given when a sign-in was begun in it; empty where it was given nothing."""
    return request.cookies.get(_name(public_url), "")[:LONGEST]


def keep_browser(answer: Response, browser: str, public_url: str) -> None:
    """Kommo's redirect is a top-level GET from another site: a lax cookie comes along, a strict one would not."""
    answer.set_cookie(
        _name(public_url),
        browser,
        max_age=STATE_SECONDS,
        path="/",  # what the prefix asks for
        httponly=True,
        samesite="lax",
        secure=_is_https(public_url),
    )


def _name(public_url: str) -> str:
    """With the prefix that makes browsers refuse one set by another host or without TLS, where we have TLS."""
    return f"__Host-{COOKIE}" if _is_https(public_url) else COOKIE


def _is_https(public_url: str) -> bool:
    return public_url.startswith("https://")
