"""The log: one line a fact, with the ids that lead to it, and nothing of a client."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from backend.core.telemetry.lines import LINES
from sandbox.stripe import Payer
from tests.docs.text import ROOT, read
from tests.world import ADMIN, ADMIN_TOKEN, World, install, open_world
from tests.world.settings import SECRET_KEY

OURS = {"Sec-Fetch-Site": "same-origin"}
PAYER = "payer@client.example"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as caught:
        yield caught


def counted(lines: list[Any]) -> Counter[str]:
    """The facts among the lines, and how often each stands there."""
    return Counter(line["event"] for line in lines if line["event"] in LINES)


def of(lines: list[Any], name: str) -> dict[str, Any]:
    (found,) = [line for line in lines if line["event"] == name]
    return {key: value for key, value in found.items() if key not in ("event", "log_level")}


def secrets_of(world: World) -> set[str]:
    """What opens the product, Kommo or Stripe: given by the operator, or got on the way."""
    account, pairs = world.stripe.default_account, world.kommo.wallet.by_access.values()
    found = {ADMIN_TOKEN, SECRET_KEY, world.integration.client_secret, account.live_secret_key}
    found |= {secret for one in account.shelves[True].endpoints.values() for secret in one.secrets}
    return found | {token for pair in pairs for token in (pair.access, pair.refresh) if token}


def test_the_operations_document_lists_every_line_and_what_stands_in_it() -> None:
    table = read(ROOT / "docs/operations.md").partition("| line | when | fields |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[2])) for row in rows} == LINES


async def test_the_main_job_leaves_one_line_for_each_fact(database_url: str, lines: list[Any]) -> None:
    async with open_world(database_url, connected=False) as product:
        await install(product)
        await product.quiet()
        lead_id = product.lead("Sofa of Mrs. Client")
        link = await product.link(lead_id, "120.00")
        await product.pay(link, Payer(email=PAYER))
        await product.until(lambda: len(product.notes(lead_id)) == 1)
        for event in product.stripe.events:
            product.stripe.redeliver(event.id)
        await product.quiet()
        (payment,) = [one["id"] for one in product.stripe.default_account.shelves[True].newest("payment_intent")]
    wrote = [(line["what"], line["deal"]) for line in lines if line["event"] == "deal written"]
    assert wrote.count(("note", lead_id)) == 1
    facts = counted(lines) - Counter({"deal written": len(wrote)})
    assert facts == Counter(("account connected", "Stripe connected", "link made", "link opened", "payment received"))
    made, opened, paid = of(lines, "link made"), of(lines, "link opened"), of(lines, "payment received")
    assert (paid["payment"], paid["deal"], paid["account"]) == (payment, lead_id, product.account.id)
    assert {made["payment_request"], opened["payment_request"], paid["payment_request"]} == {made["payment_request"]}
    assert re.fullmatch("evt_.+", paid["told_by"])
    assert made["request"] != opened["request"]
    text = str(lines)
    assert [word for word in (PAYER, "Client", "120.00", link.rpartition("/")[2]) if word in text] == []
    assert [secret for secret in secrets_of(product) if secret in text] == []


async def test_everything_that_happens_to_money_and_connections_has_its_line(product: World, lines: list[Any]) -> None:
    await product.may_refund()
    stripe, shelf = product.stripe, product.stripe.default_account.shelves[True]
    lead_id = await product.paid_deal()
    payment = product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]
    assert (await product.rep.refund(payment, amount="20.00")).status_code == 201
    back = stripe.refund(payment, 1000, "pending")
    await product.quiet()
    stripe.finish_refund(back["id"], "failed")
    stripe.close_dispute(stripe.open_dispute(payment, 500)["id"], "won")
    debited = product.lead("Debited")
    await product.pay(await product.link(debited), Payer("delayed"))
    stripe.settle_payment(next(shelf.newest("payment_intent"))["id"], "failed")
    hosting = product.lead("Hosting")
    await product.pay(await product.link(hosting, mode="subscription", interval="month"))
    stripe.cancel_subscription(next(shelf.newest("subscription"))["id"])
    await product.quiet()
    made = await product.ask(product.lead("Cancelled"))
    await product.rep.post(f"/widget/requests/{made.json()['id']}/cancel")
    await product.ask(product.lead(), amount="-1")
    await product.http.post(f"{product.url}/admin/login", headers=OURS, data={"token": ADMIN["Authorization"][7:]})
    product.kommo.faults.add("422_json", "/leads/notes", method="POST", times=2)  # of either kind of note
    refused = product.lead("Refused")
    await product.pay(await product.link(refused))
    await product.quiet()
    facts = counted(lines)
    once = (
        "payment failed",
        "refund requested",
        "refund failed",
        "dispute opened",
        "dispute closed",
        "subscription ended",
    )
    assert {name: facts[name] for name in once} == dict.fromkeys(once, 1)
    assert (facts["refund succeeded"], facts["link cancelled"], facts["user signed in"]) == (1, 1, 1)
    assert of(lines, "request refused") == {
        "code": "amount_invalid", "status": 422, "route": "create_request", "account": product.account.id,
        "request": of(lines, "request refused")["request"],
    }  # fmt: skip
    assert LINES.keys() - facts.keys() <= {"account connected", "Stripe connected", "account uninstalled"}
