"""*Sending links* in the set-up: what is chosen, what is refused, and what the switch stops at once."""

from typing import Any

import httpx

from backend.automation.sendings.plan import Origin, plan_sending
from backend.storage.models import Account, PaymentRequest, Sending
from backend.work_queue.lock_order import account_unit
from sandbox.kommo.accounts.chat_acts import add_bot
from tests.web.setup.test_pages import clock, form_of, product, visitor
from tests.world import World

__all__ = ["clock", "product", "visitor"]
CHOSEN = {
    "send_automatically": "on",
    "send_once_a_day": "on",
    "send_channels": "chat,task",
    "send_bot": "0",
    "send_from": "8",
    "send_to": "20",
    "send_weekdays": ["1", "6"],
    "send_time_zone": "America/Mexico_City",
}


async def _options(product: World) -> dict[str, Any]:
    async with product.resources.database.read() as session:
        return (await session.get_one(Account, product.account.id)).options


async def test_bots_are_listed_by_name_with_the_placeholder_ready_to_copy(
    product: World, visitor: httpx.AsyncClient
) -> None:
    made = add_bot(product.account, "Ask for <money>")
    await product.until(lambda: product.account.field("STRIPE_PAYMENT_LINK"))
    await product.quiet()
    shown = (await visitor.get("/admin/automation/sending")).text
    field = product.account.field("STRIPE_PAYMENT_LINK")
    assert field is not None
    assert f"{{{{lead.cf.{field.id}}}}}" in shown
    assert "Ask for &lt;money&gt;" in shown
    saved = await visitor.post(form_of(product, "sending"), data=CHOSEN | {"send_bot": str(made.id)})
    assert saved.status_code == 200
    options = await _options(product)
    assert {name: value for name, value in options.items() if name.startswith("send_")} == {
        "send_automatically": True,
        "send_channels": ["chat", "task"],
        "send_bot": made.id,
        "send_hours": [8, 20],
        "send_weekdays": [1, 6],
        "send_time_zone": "America/Mexico_City",
        "send_once_a_day": True,
    }


async def test_what_can_t_be_is_refused_at_its_field(product: World, visitor: httpx.AsyncClient) -> None:
    wrong: list[dict[str, Any]] = [
        {"send_channels": "pigeon"}, {"send_channels": "chat,chat"}, {"send_bot": "x"}, {"send_weekdays": []},
        {"send_from": "20", "send_to": "8"}, {"send_from": "9", "send_to": "9"}, {"send_to": "25"},
        {"send_time_zone": "Mars/Olympus"}, {"send_time_zone": "../../etc/passwd"},
    ]  # fmt: skip
    before = await _options(product)
    for one in wrong:
        answer = await visitor.post(form_of(product, "sending"), data=CHOSEN | one)
        assert answer.status_code == 422, one
        assert 'aria-invalid="true"' in answer.text, one
    assert await _options(product) == before


async def test_switching_it_off_drops_what_waits_at_once(product: World, visitor: httpx.AsyncClient) -> None:
    request = await product.rep.create()
    resources, account_id = product.resources, product.account.id
    async with account_unit(resources.database, account_id) as session:
        row = await session.get_one(PaymentRequest, (account_id, request["id"]))
        tomorrow = resources.clock() + 86400
        for kind in ("rule", "person"):
            origin = Origin(kind, kind)
            await plan_sending(
                session,
                request=row,
                deal_id=row.lead_id,
                origin=origin,
                channels=["chat"],
                now=1.0,
                not_before=tomorrow,
            )
    off = {name: value for name, value in CHOSEN.items() if name != "send_automatically"}
    assert (await visitor.post(form_of(product, "sending"), data=off)).status_code == 200
    states = {one.origin: (one.state, one.reason) for one in await product.rows(Sending)}
    assert states == {"rule": ("dropped", "switched_off"), "person": ("waiting", "")}


async def test_only_this_account_s_administrators_get_there(product: World, visitor: httpx.AsyncClient) -> None:
    path, page = form_of(product, "sending"), "/admin/automation/sending"
    assert "lead.cf" not in (await product.http.get(f"{product.url}{page}")).text
    assert (await product.http.post(f"{product.url}{path}", data=CHOSEN)).status_code in (401, 403)
    foreign = await visitor.post(path, data=CHOSEN, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    other = path.replace(str(product.account.id), "999")
    assert (await visitor.post(other, data=CHOSEN)).status_code in (403, 404)
