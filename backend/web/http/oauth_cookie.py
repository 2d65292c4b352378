"""The cookie that ties an OAuth state to the browser in which the sign-in was begun."""

from fastapi import Request, Response

from backend.core.signing import STATE_SECONDS

COOKIE = "kommo_stripe_oauth"
LONGEST = 100


def browser_of(request: Request) -> str:
    """What this browser was given when a sign-in was begun in it; empty where it was given nothing."""
    return request.cookies.get(COOKIE, "")[:LONGEST]


def keep_browser(answer: Response, browser: str, public_url: str) -> None:
    """Kommo's redirect is a top-level GET from another site: a lax cookie comes along, a strict one would not."""
    answer.set_cookie(
        COOKIE,
        browser,
        max_age=STATE_SECONDS,
        path="/oauth/kommo",
        httponly=True,
        samesite="lax",
        secure=public_url.startswith("https://"),
    )
