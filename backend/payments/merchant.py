"""The merchant that asks for the money: name and contact details on the client's pages."""

from dataclasses import dataclass
from typing import Any

from backend.accounts.contact import digits
from backend.accounts.options import options_of
from backend.storage.models import Account, StripeConnection


@dataclass(frozen=True, slots=True)
class Logo:
    """A stored logo. ``digest`` is part of its address; the size in pixels keeps a page from moving when it loads."""

    digest: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant as the client's pages show it; '' for what the admin left out.

    ``is_test``: payments by these pages are Stripe's test money.
    """

    name: str
    is_test: bool
    phone: str = ""
    whatsapp: str = ""
    email: str = ""
    logo: Logo | None = None

    @property
    def contacts(self) -> list[tuple[str, str, str]]:
        """The ways to reach the merchant, [] without any: (key of the label's text, address, text to show).

        Addresses are ``tel:``, ``https:`` and ``mailto:``.
        """
        plus = "+" if self.phone.startswith("+") else ""
        ways = (
            ("contact_phone", f"tel:{plus}{digits(self.phone)}", self.phone),
            ("contact_whatsapp", f"https://wa.me/{digits(self.whatsapp)}", self.whatsapp),
            ("contact_email", f"mailto:{self.email}", self.email),
        )
        return [way for way in ways if way[2]]


def merchant_of(account: Account, connection: StripeConnection | None, *, is_test: bool) -> Merchant:
    """Return the merchant for pages whose payments ``connection`` takes; None while Stripe is disconnected.

    The name is the admin's, else Stripe's account name, else the Kommo subdomain.
    """
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
