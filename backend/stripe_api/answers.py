"""Classify Stripe's answers: the requested object, a definite refusal, or doubt.

Only an error object of Stripe's is a refusal. A proxy's page, a cut or empty body, and JSON that is not the requested
object are doubt, whatever their status: the call may have taken effect (docs/facts/stripe.md A5).
"""

import re
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

Answer = dict[str, Any]
"""A Stripe object or list as a plain dict."""

STRIPES_TROUBLE = (409, 429)
"""Statuses besides 5xx with which Stripe says that it could not process the call yet."""


class Refused(Exception):
    """Stripe refused the call, so it had no effect. ``code`` and ``param`` are Stripe's,
    ``status`` is the HTTP status."""

    def __init__(self, message: str, *, code: str = "", param: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.status = message, code, param, status

    @property
    def permissions(self) -> list[str]:
        """The ``rak_…`` slugs that Stripe's 403 names, each once; empty for other
        statuses (docs/facts/stripe.md A5)."""
        found = re.findall(r"\brak_[a-z0-9_]+", self.message) if self.status == 403 else []
        return list(dict.fromkeys(found))

    @property
    def is_of_the_key(self) -> bool:
        """True if Stripe refused the key before it looked at the call: an earlier attempt of
        the call may have succeeded."""
        return self.status in (401, 403)


class KeyRefused(Refused):
    """Stripe refused the API key: it is wrong, revoked or expired."""


class Unreachable(Exception):
    """Stripe did not answer, or failed itself. The call may or may not have taken effect."""

    @property
    def is_repeated(self) -> bool:
        """True if Stripe repeats this answer to the idempotency key for a day (docs/facts/stripe.md B3).

        That is so for a fault of Stripe's (5xx) and for a key that was used with another body.
        """
        error = self.__cause__
        status = getattr(error, "http_status", None) or 0
        return status >= 500 or (isinstance(error, stripe.StripeError) and _is_used_key(error))


async def answered(call: Awaitable[Any]) -> Answer:
    """Return the object or list that Stripe answers with. Raises ``Refused`` or ``Unreachable``."""
    with named_failures():
        answer = await call
        found = answer.to_dict(recursive=True, for_json=True) if isinstance(answer, stripe.StripeObject) else answer
    if not _is_object(found):
        raise Unreachable("Stripe's answer is not the object that was asked for.")
    return dict(found)


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn every failure of the SDK inside the block into ``Refused`` or ``Unreachable``."""
    try:
        yield
    except stripe.StripeError as error:
        raise failure(error) from error
    except (
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # the SDK on a foreign body
        raise Unreachable(f"The answer is not Stripe's: {error}") from error


def failure(error: stripe.StripeError) -> Exception:
    """Return ``Refused`` for a definite refusal by Stripe, ``Unreachable`` for every other error."""
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
