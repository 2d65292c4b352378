"""The errors that people meet: each class has an HTTP status and a code, each error a sentence for its reader.

The JSON form is ``{"error": {"code", "message", "field"?, "limit"?}}`` (``as_json``); pages show the sentence.
"""

from typing import Any, ClassVar


class ProductError(Exception):
    """An error that the caller is shown. ``message`` says what happened and what to do.

    ``field`` names the JSON key at fault. ``limit`` is the largest or smallest allowed amount with its currency, for
    callers that write the sentence in another language.
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
        """Return the body of the answer: ``{"error": {"code", "message", "field"?, "limit"?}}``."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field:
            error["field"] = self.field
        if self.limit:
            error["limit"] = dict(zip(("amount", "currency"), self.limit, strict=True))
        return {"error": error}


class AmountInvalid(ProductError):
    """The amount is not a number that the currency allows."""

    status, code, field = 422, "amount_invalid", "amount"


class AmountTooSmall(ProductError):
    """The amount is below Stripe's minimum; ``limit`` holds it if it is known."""

    status, code, field = 422, "amount_too_small", "amount"


class AmountTooLarge(ProductError):
    """The amount is above what is allowed; ``limit`` holds the maximum if it is known."""

    status, code, field = 422, "amount_too_large", "amount"


class CurrencyUnknown(ProductError):
    """Stripe does not take the currency."""

    status, code, field = 422, "currency_unknown", "currency"


class FieldInvalid(ProductError):
    """A field of the body is missing or wrong."""

    status, code = 422, "field_invalid"


class MalformedBody(ProductError):
    """The body can't be parsed."""

    status, code = 400, "field_invalid"


class BodyTooLarge(ProductError):
    """The body is larger than the route allows."""

    status, code = 413, "field_invalid"


class BodyTooSlow(ProductError):
    """The rest of the body did not arrive in time."""

    status, code = 408, "too_slow"


class UnsupportedMedia(ProductError):
    """The route does not read the body's content type."""

    status, code = 415, "unsupported_media_type"


class DealNotFound(ProductError):
    """Kommo has no such deal in this account."""

    status, code, field = 404, "deal_not_found", "lead_id"


class RequestNotFound(ProductError):
    """There is no payment request or statement with this id or token."""

    status, code = 404, "request_not_found"


class PaymentNotFound(ProductError):
    """There is no payment with this id in this account."""

    status, code = 404, "payment_not_found"


class AccountNotFound(ProductError):
    """The Kommo account is not connected here."""

    status, code = 404, "not_connected"


class RuleNotFound(ProductError):
    """The account has no such automation rule or run."""

    status, code = 404, "not_found"


class HookUnknown(ProductError):
    """No hook has this key; it was replaced or never existed."""

    status, code = 404, "not_found"


class NotAuthorized(ProductError):
    """The call carries no valid credentials."""

    status, code = 401, "not_authorized"


class KeysNotKnown(NotAuthorized):
    """A token of an integration whose secret key the operator has not entered yet."""

    code = "keys_not_known"


class TooManyTries(ProductError):
    """Too many attempts from one address or for one link; ``retry_after`` seconds."""

    status, code, retry_after = 429, "too_many_requests", 60


class TooManyCalls(ProductError):
    """One user calls faster than a person can."""

    status, code, retry_after = 429, "too_many_requests", 1


class TooManySendings(ProductError):
    """The account's queue of links to send is full."""

    status, code, retry_after = 429, "too_many_sendings", 60


class NotAllowed(ProductError):
    """The caller is known but lacks the right."""

    status, code = 403, "not_allowed"


class AlreadyPaid(ProductError):
    """There is nothing left to pay, or the request was paid already."""

    status, code = 409, "already_paid"


class Conflict(ProductError):
    """The present state does not allow the call; the sentence says what to do first."""

    status, code = 409, "conflict"


class OtherStripeAccount(Conflict):
    """The key belongs to another Stripe account than the connected one.

    The call must be repeated with ``confirm_account`` set to ``confirmation``.
    """

    code, field = "other_stripe_account", "api_key"

    def __init__(self, message: str, *, confirmation: str) -> None:
        super().__init__(message)
        self.confirmation = confirmation

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer, with ``confirm_account`` added to the error."""
        answer = super().as_json()
        answer["error"]["confirm_account"] = self.confirmation
        return answer


class NotConnected(ProductError):
    """Stripe or Kommo is not connected, or rejects the stored key or token."""

    status, code = 409, "not_connected"


class KommoNotConnected(NotConnected):
    """Kommo is not connected; Stripe may be."""

    code = "kommo_not_connected"


class StripeRefused(ProductError):
    """Stripe refused the call; the sentence holds its reason."""

    status, code = 422, "stripe_refused"


class StripeUnreachable(ProductError):
    """Stripe did not answer, so the outcome is unknown. A repetition is safe."""

    status, code = 502, "stripe_unreachable"


class KommoUnreachable(ProductError):
    """Kommo could not be asked."""

    status, code = 502, "kommo_unreachable"


class BadCallback(ProductError):
    """An OAuth callback with a wrong referer, state or code."""

    status, code = 400, "callback_refused"


class BadSignature(ProductError):
    """A hook or token whose signature or account is wrong."""

    status, code = 403, "bad_signature"


class LaneFull(ProductError):
    """A bounded queue of calls is full, and nothing was done."""

    status, code, retry_after = 503, "unavailable", 10


class Unavailable(ProductError):
    """The server can't serve the call at the moment, for example because the database is unreachable. Nothing was done,
    so the call may be repeated."""

    status, code = 503, "unavailable"
