"""A user who tries everything that can be done with one deal."""

import uuid
from dataclasses import dataclass

import httpx

from sandbox.kommo.records import Lead, User
from tests.world import World

EVERYTHING = ("view", "create", "cancel", "check", "refund")


@dataclass(frozen=True)
class Prepared:
    """A deal with one paid and one open request, both made by the administrator."""

    lead: Lead
    open_request: str
    payment: str


async def prepared(shop: World, lead: Lead) -> Prepared:
    shop.clock.advance(3)  # the administrator's bucket of calls fills again
    await shop.rep.create(lead_id=lead.id)
    shop.stripe.pay_session(shop.checkout.session["id"])
    assert (await shop.rep.post(f"/widget/deals/{lead.id}/check")).status_code == 202
    payment = (await shop.rep.deal(lead.id))["payments"][0]["id"]
    return Prepared(lead, (await shop.rep.create(lead_id=lead.id, amount="7.00"))["id"], payment)


async def acted(shop: World, http: httpx.AsyncClient, user: User, deal: Prepared) -> dict[str, httpx.Response]:
    """Each action → the answer to it. ``http`` may be another process of ours."""
    calls = {
        "view": ("GET", f"/widget/deals/{deal.lead.id}", None),
        "create": ("POST", "/widget/requests", shop.rep.order(lead_id=deal.lead.id)),
        "cancel": ("POST", f"/widget/requests/{deal.open_request}/cancel", None),
        "check": ("POST", f"/widget/deals/{deal.lead.id}/check", None),
        "refund": ("POST", f"/widget/payments/{deal.payment}/refund",
                   {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}),
    }  # fmt: skip
    headers = shop.token(user.id)
    return {
        action: await http.request(method, path, json=body, headers=headers)
        for action, (method, path, body) in calls.items()
    }
