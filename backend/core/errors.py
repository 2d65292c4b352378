"""What can go wrong for a person who uses us: each error knows its status, its code and its sentence.

The JSON form is ``{"error": {"code", "message", "field"?}}`` (``as_json``); pages show the sentence.
"""

from typing import Any, ClassVar


class ProductError(Exception):
    """Something that the caller must hear about. ``field`` names the JSON key that is at fault; ``limit`` is the amount
    and the currency that it may be at the most, or must be at the least: who says it in another language needs them.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retry_after: ClassVar[int | None] = None  # seconds, sent as the header of that name
    field: str | None = None

    def __init__(self, message: str, *, field: str | None = None, limit: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.limit = limit
        if field is not None:
            self.field = field

    def as_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field:
            error["field"] = self.field
        if self.limit:
            error["limit"] = dict(zip(("amount", "currency"), self.limit, strict=True))
        return {"error": error}


class AmountInvalid(ProductError):
    status, code, field = 422, "amount_invalid", "amount"


class AmountTooSmall(ProductError):
    status, code, field = 422, "amount_too_small", "amount"


class AmountTooLarge(ProductError):
    status, code, field = 422, "amount_too_large", "amount"


class CurrencyUnknown(ProductError):
    status, code, field = 422, "currency_unknown", "currency"


class FieldInvalid(ProductError):
    status, code = 422, "field_invalid"


class MalformedBody(ProductError):
    status, code = 400, "field_invalid"


class BodyTooLarge(ProductError):
    status, code = 413, "field_invalid"


class BodyTooSlow(ProductError):
    """The rest of a body did not come in time."""

    status, code = 408, "too_slow"


class UnsupportedMedia(ProductError):
    """The body has a content type that the route does not read."""

    status, code = 415, "unsupported_media_type"


class DealNotFound(ProductError):
    status, code, field = 404, "deal_not_found", "lead_id"


class RequestNotFound(ProductError):
    status, code = 404, "request_not_found"


class PaymentNotFound(ProductError):
    status, code = 404, "payment_not_found"


class AccountNotFound(ProductError):
    status, code = 404, "not_connected"


class RuleNotFound(ProductError):
    status, code = 404, "not_found"


class HookUnknown(ProductError):
    status, code = 404, "not_found"


class NotAuthorized(ProductError):
    status, code = 401, "not_authorized"


class TooManyTries(ProductError):
    status, code, retry_after = 429, "too_many_requests", 60


class TooManyCalls(ProductError):
    status, code, retry_after = 429, "too_many_requests", 1


class TooManySendings(ProductError):
    """The account's queue of links to be sent is full."""

    status, code, retry_after = 429, "too_many_sendings", 60


class NotAllowed(ProductError):
    status, code = 403, "not_allowed"


class AlreadyPaid(ProductError):
    status, code = 409, "already_paid"


class Conflict(ProductError):
    status, code = 409, "conflict"


class OtherStripeAccount(Conflict):
    """A key of another Stripe account than the connected one. ``confirm_account`` must hold ``confirmation``."""

    code, field = "other_stripe_account", "api_key"

    def __init__(self, message: str, *, confirmation: str) -> None:
        super().__init__(message)
        self.confirmation = confirmation

    def as_json(self) -> dict[str, Any]:
        answer = super().as_json()
        answer["error"]["confirm_account"] = self.confirmation
        return answer


class NotConnected(ProductError):
    status, code = 409, "not_connected"


class KommoNotConnected(NotConnected):
    code = "kommo_not_connected"


class StripeRefused(ProductError):
    status, code = 422, "stripe_refused"


class StripeUnreachable(ProductError):
    status, code = 502, "stripe_unreachable"


class KommoUnreachable(ProductError):
    status, code = 502, "kommo_unreachable"


class BadCallback(ProductError):
    """An OAuth callback that can't be acted on: bad referer, state, or code."""

    status, code = 400, "callback_refused"


class BadSignature(ProductError):
    status, code = 403, "bad_signature"


class LaneFull(ProductError):
    status, code, retry_after = 503, "unavailable", 10


class Unavailable(ProductError):
    """The database is away; nothing was done, the same call may be made again."""

    status, code = 503, "unavailable"
