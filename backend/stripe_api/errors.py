"""The two kinds of failure of a call to Stripe. They need nothing of Stripe's library, which takes long to import."""

import re
from typing import Any


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
        return status >= 500 or _is_used_key(error)


def _is_used_key(error: BaseException | None) -> bool:
    details = details_of(error)
    return details.get("type") == "idempotency_error" and details.get("code") != "idempotency_key_in_use"


def details_of(error: BaseException | None) -> dict[str, Any]:
    """The error object of Stripe's answer; empty where the answer had none."""
    body = getattr(error, "json_body", None)
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}
