"""Classify Stripe's answers: the requested object, a definite refusal, or doubt.

Only an error object of Stripe's is a refusal. A proxy's page, a cut or empty body, and JSON that is not the requested
object are doubt, whatever their status: the call may have taken effect (docs/facts/stripe.md A5).
"""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from backend.stripe_api.errors import KeyRefused, Refused, Unreachable, details_of

Answer = dict[str, Any]
"""A Stripe object or list as a plain dict."""

STRIPES_TROUBLE = (409, 429)
"""Statuses besides 5xx with which Stripe says that it could not process the call yet."""


async def answered(call: Awaitable[Any], kind: str) -> Answer:
    """Return the object or list that Stripe answers with. Raises ``Refused`` or ``Unreachable``.

    ``kind``: Stripe's name of the requested object, such as "refund" or "list". A proxy may answer with another one.
    """
    with named_failures():
        answer = await call
        found = answer.to_dict(recursive=True, for_json=True) if isinstance(answer, stripe.StripeObject) else answer
    if not _is_object(found, kind):
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
    status, details = error.http_status or 0, details_of(error)
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError) or not _is_no(status, details):
        return Unreachable(f"Stripe answered {status or 'nothing'}: {error.user_message or 'no explanation'}")
    message = error.user_message or str(error)
    refusal = KeyRefused if status == 401 else Refused
    return refusal(message, code=str(details.get("code") or ""), param=str(details.get("param") or ""), status=status)


def _is_object(answer: Any, kind: str) -> bool:
    if not isinstance(answer, dict) or answer.get("object") != kind:
        return False
    if kind == "list":
        return isinstance(answer.get("data"), list) and isinstance(answer.get("has_more"), bool)
    return isinstance(answer.get("id"), str) and bool(answer["id"])


def _is_no(status: int, details: dict[str, Any]) -> bool:
    kind = details.get("type")
    if not isinstance(kind, str) or not kind.endswith("_error") or kind in ("api_error", "idempotency_error"):
        return False
    return 400 <= status < 500 and status not in STRIPES_TROUBLE and details.get("code") != "lock_timeout"
