"""What a test sees of the two worlds and of the product's web, wherever the product runs."""

from typing import Any

import httpx

from backend.kommo_api.deal_fields import DEAL_FIELDS
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.records import Lead, Note
from sandbox.kommo.views import lead_in_full
from sandbox.stripe import StripeWorld
from tests.world.checkout import Checkout
from tests.world.rep import Rep
from tests.world.settings import ADMIN

CODES = {one.name: one.code for one in DEAL_FIELDS}


class WorldView:
    """``integration`` is the first account's. ``http`` is a browser at the product's web, which is at ``url``."""

    kommo: KommoWorld
    stripe: StripeWorld
    integration: Integration
    url: str
    http: httpx.AsyncClient

    @property
    def account(self) -> KommoAccount:
        return self.kommo.account

    @property
    def admin(self) -> dict[str, str]:
        return ADMIN

    @property
    def rep(self) -> Rep:
        return Rep(self.kommo, self.integration.client_id, self.url, self.http)

    @property
    def checkout(self) -> Checkout:
        return Checkout(self.stripe)

    def token(self, user_id: int | None = None) -> dict[str, str]:
        return self.rep.token(user_id)

    @property
    def first_deal(self) -> Lead:
        return next(iter(self.account.leads.values()))

    def lead(self, name: str = "Sofa", price: int = 0, **given: Any) -> int:
        return self.account.add_lead(name, price, **given).id

    def deal(self, lead_id: int) -> dict[str, Any]:
        return lead_in_full(self.account, self.account.leads[lead_id])

    def fields(self, lead_id: int) -> dict[str, Any]:
        """Values by our codes; a field that Kommo let us make without its code is found by its name."""
        return _by_code(self.deal(lead_id)["fields"])

    def notes(self, lead_id: int) -> list[Note]:
        return self.account.notes_of(lead_id)


def _by_code(shown: dict[str, Any]) -> dict[str, Any]:
    return {CODES[name]: value for name, value in shown.items() if name in CODES} | shown
