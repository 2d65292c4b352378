"""What an answer of Stripe means: the object we asked for, Stripe's definite no, or doubt.

Only an error object of Stripe's own is a no. A proxy's page, a cut or empty body, and JSON that is not the object are
doubt, whatever their status: the call may have been carried out.
"""

import re
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

Answer = dict[str, Any]

STRIPES_TROUBLE = (409, 429)
"""Beside 5xx: Stripe could not look at the call yet."""


class Refused(Exception):
    """Stripe said no. ``code`` and ``param`` are Stripe's; ``permissions`` names what a restricted key lacks."""

    def __init__(self, message: str, *, code: str = "", param: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.status = message, code, param, status

    @property
    def permissions(self) -> list[str]:
        """The ``rak_…`` slugs that Stripe's 403 asks for, each once."""
        found = re.findall(r"\brak_[a-z0-9_]+", self.message) if self.status == 403 else []
        return list(dict.fromkeys(found))

    @property
    def is_of_the_key(self) -> bool:
        """The key was refused before the call was looked at: this says nothing of an earlier try of the same call."""
        return self.status in (401, 403)


class KeyRefused(Refused):
    """The API key is wrong, revoked or expired."""


class Unreachable(Exception):
    """Stripe did not answer, or answered with trouble of its own. The call may or may not have happened."""

    @property
    def is_repeated(self) -> bool:
        """Stripe gives the same answer to this idempotency key for a day: trouble of its own, or a key that is used
        for another body."""
        error = self.__cause__
        status = getattr(error, "http_status", None) or 0
        return status >= 500 or (isinstance(error, stripe.StripeError) and _is_used_key(error))


async def answered(call: Awaitable[Any]) -> Answer:
    """The object or list that Stripe answers with. Raises ``Refused`` or ``Unreachable``."""
    with named_failures():
        answer = await call
        found = answer.to_dict(recursive=True, for_json=True) if isinstance(answer, stripe.StripeObject) else answer
    if not _is_object(found):
        raise Unreachable("Stripe's answer is not the object that was asked for.")
    return dict(found)


@contextmanager
def named_failures() -> Iterator[None]:
    """Every failure of the SDK within is raised as ``Refused`` or ``Unreachable``."""
    try:
        yield
    except stripe.StripeError as error:
        raise failure(error) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # the SDK stumbles over a foreign body
        raise Unreachable(f"The answer is not Stripe's: {error}") from error


def failure(error: stripe.StripeError) -> Exception:
    """``Refused`` for Stripe's definite no, ``Unreachable`` for everything else."""
    status, details = error.http_status or 0, _details(error)
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or not _is_no(status, details):
        return Unreachable(f"Stripe answered {status or 'nothing'}: {error.user_message or 'no explanation'}")
    message = error.user_message or str(error)
    refusal = KeyRefused if status == 401 else Refused
    return refusal(message, code=str(details.get("code") or ""), param=str(details.get("param") or ""), status=status)


def _is_object(answer: Any) -> bool:
    if not isinstance(answer, dict) or not isinstance(answer.get("object"), str):
        return False
    if answer["object"] == "list":
        return isinstance(answer.get("data"), list) and isinstance(answer.get("has_more"), bool)
    return isinstance(answer.get("id"), str) and bool(answer["id"])


def _is_no(status: int, details: dict[str, Any]) -> bool:
    kind = details.get("type")
    if not isinstance(kind, str) or not kind.endswith("_error") or kind in ("api_error", "idempotency_error"):
        return False
    return 400 <= status < 500 and status not in STRIPES_TROUBLE and details.get("code") != "lock_timeout"


def _is_used_key(error: stripe.StripeError) -> bool:
    details = _details(error)
    return details.get("type") == "idempotency_error" and details.get("code") != "idempotency_key_in_use"


def _details(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}
