"""Who asks for the money, as the client's pages name them, and how the client reaches them."""

from dataclasses import dataclass
from typing import Any

from backend.accounts.contact import digits
from backend.accounts.options import options_of
from backend.storage.models import Account, StripeConnection


@dataclass(frozen=True, slots=True)
class Logo:
    """``digest`` makes its address; the size keeps a page from jumping when it arrives."""

    digest: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Merchant:
    """``is_test``: what is paid by these pages is Stripe's test money. Empty is what the admin did not give."""

    name: str
    is_test: bool
    phone: str = ""
    whatsapp: str = ""
    email: str = ""
    logo: Logo | None = None

    @property
    def contacts(self) -> list[tuple[str, str, str]]:
        """Each way to reach the merchant: the name of its label's text, address, and what is shown."""
        plus = "+" if self.phone.startswith("+") else ""
        ways = (
            ("contact_phone", f"tel:{plus}{digits(self.phone)}", self.phone),
            ("contact_whatsapp", f"https://wa.me/{digits(self.whatsapp)}", self.whatsapp),
            ("contact_email", f"mailto:{self.email}", self.email),
        )
        return [way for way in ways if way[2]]


def merchant_of(account: Account, connection: StripeConnection | None, *, is_test: bool) -> Merchant:
    """The merchant of pages whose payments ``connection`` takes; None while Stripe is disconnected."""
    options, label = options_of(account), connection.label if connection else ""
    return Merchant(
        options.business_name or label or account.subdomain or str(account.id),
        is_test,
        options.contact_phone,
        options.contact_whatsapp,
        options.contact_email,
        _logo(account.logo),
    )


def _logo(known: dict[str, Any]) -> Logo | None:
    return Logo(known["digest"], known["width"], known["height"]) if known else None
