"""Who asks for the money, as the client's pages name them."""

from dataclasses import dataclass

from backend.storage.models import Account, StripeConnection


@dataclass(frozen=True, slots=True)
class Merchant:
    """``is_test``: what is paid by these pages is Stripe's test money."""

    name: str
    is_test: bool


def merchant_of(account: Account, connection: StripeConnection | None, *, is_test: bool) -> Merchant:
    """The merchant of pages whose payments ``connection`` takes; None while Stripe is disconnected."""
    label = connection.label if connection else ""
    return Merchant(label or account.subdomain or str(account.id), is_test)
