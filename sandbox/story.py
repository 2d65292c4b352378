"""The main job told from install to Paid, on real HTTP, step by step; what differs from the promise is an error."""

import asyncio
import statistics
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from backend.core.money import major, to_minor
from sandbox.kommo.views import lead_in_full
from sandbox.product import log_file, running_product
from sandbox.stage import Stage, connect, set_stage

WAIT_SECONDS = 15.0
CURRENCIES = (("JPY", "500"), ("KWD", "1.500"), ("ISK", "5000"), ("UGX", "4000"))


class Differs(Exception):
    """Something is not as promised."""


@dataclass
class Storyteller:
    stage: Stage
    http: httpx.AsyncClient
    latencies: list[float] = field(default_factory=list)
    step: int = 0

    def say(self, title: str, *lines: str) -> None:
        self.step += 1
        print(f"\n{self.step}. {title}")
        for line in lines:
            print(f"   {line}")

    def promise(self, what: str, expected: object, actual: object) -> None:
        if expected != actual:
            raise Differs(f"{what}: promised {expected!r}, found {actual!r}")
        print(f"   ✓ {what}: {actual}")

    def deal(self, lead_id: int) -> dict[str, Any]:
        account = self.stage.kommo.account
        return lead_in_full(account, account.leads[lead_id])

    async def until(self, what: str, holds: Callable[[], bool | Awaitable[bool]]) -> None:
        for _ in range(int(WAIT_SECONDS / 0.02)):
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)
        raise Differs(f"{what}: not within {WAIT_SECONDS:.0f} seconds")


async def tell() -> int:
    """0 when everything was as promised."""
    async with set_stage() as stage, httpx.AsyncClient(timeout=10.0) as http:
        teller = Storyteller(stage, http)
        try:
            async with running_product(stage.settings, stage.folder, log=log_file()):
                await play(teller)
        except Differs as difference:
            print(f"\n✗ {difference}\n  The product's log: {log_file()}")
            return 1
    print(f"\nAll as promised. The product's log: {log_file()}")
    return 0


async def play(teller: Storyteller) -> None:
    """The whole of it, with a product that runs already. Raises ``Differs``."""
    await _install(teller)
    lead_id = next(iter(teller.stage.kommo.account.leads))
    await _first_payment(teller, lead_id)
    await _everything_again(teller, lead_id)
    await _other_currencies(teller)
    median = statistics.median(teller.latencies)
    teller.say(
        "How fast", f"from signed webhook to changed deal: median {median * 1000:.0f} ms of {len(teller.latencies)}"
    )


async def _install(teller: Storyteller) -> None:
    stage = teller.stage
    teller.say("A Kommo admin installs the integration", await connect(stage))

    await teller.until("set up", lambda: len(_our_codes(stage)) == 9 and _has_endpoint(stage))
    teller.promise("deal fields made", 9, len(_our_codes(stage)))
    teller.promise("webhook endpoints made at Stripe", 1, len(stage.stripe.default_account.shelves[True].endpoints))


def _our_codes(stage: Stage) -> set[str]:
    fields = stage.kommo.account.custom_fields.values()
    return {one.code for one in fields if one.code and one.code.startswith("STRIPE_")}


def _has_endpoint(stage: Stage) -> bool:
    return bool(stage.stripe.default_account.shelves[True].endpoints)


async def ask(teller: Storyteller, lead_id: int, amount: str, currency: str) -> dict[str, Any]:
    """What the widget sends when the rep presses the button."""
    stage = teller.stage
    token = stage.kommo.one_time_token(stage.integration.client_id, stage.kommo.account.admin.id)
    body = {
        "request_id": str(uuid.uuid4()),
        "lead_id": lead_id,
        "amount": amount,
        "currency": currency,
        "description": stage.kommo.account.leads[lead_id].name,
        "mode": "payment",
    }
    answer = await teller.http.post(f"{stage.backend_url}/widget/requests", json=body, headers={"X-Auth-Token": token})
    if answer.status_code != 201:
        raise Differs(f"the button: {answer.status_code} {answer.text}")
    made: dict[str, Any] = answer.json()
    return made


async def pay(teller: Storyteller, url: str) -> str:
    """A client opens our link, is led to Checkout, and pays with a card. The session's id."""
    opened = await teller.http.get(url)
    if opened.status_code != 303:
        raise Differs(f"the link: {opened.status_code} {opened.text[:300]}")
    checkout = opened.headers["location"]
    paid = await teller.http.post(checkout, data={"card_number": "4242424242424242", "email": "payer@client.example"})
    if paid.status_code != 303:
        raise Differs(f"Checkout: {paid.status_code} {paid.text[:300]}")
    return checkout.rpartition("/")[2].partition("#")[0]


async def pay_and_watch(teller: Storyteller, lead_id: int, amount: str, currency: str) -> dict[str, Any]:
    """From the button to the changed deal; the time from the first webhook to the change is kept."""
    made = await ask(teller, lead_id, amount, currency)
    before = len(teller.deal(lead_id)["notes"])
    await pay(teller, made["url"])
    started = asyncio.get_running_loop().time()
    await teller.until(
        "the deal is paid",
        lambda: (
            teller.deal(lead_id)["fields"].get("STRIPE_PAYMENT_STATUS") == "Paid"
            and len(teller.deal(lead_id)["notes"]) > before
        ),
    )
    teller.latencies.append(asyncio.get_running_loop().time() - started)
    return made


async def _first_payment(teller: Storyteller, lead_id: int) -> None:
    before = teller.deal(lead_id)
    teller.say(f"The deal before: {before['name']}", *_deal_lines(before))
    made = await pay_and_watch(teller, lead_id, "1200.00", "USD")
    teller.say(
        "The rep presses the button, the client pays", f"sent: 1200.00 USD for deal {lead_id}", f"link: {made['url']}"
    )
    session = next(teller.stage.stripe.default_account.shelves[True].newest("checkout.session"))
    teller.promise("client_reference_id", str(lead_id), session["client_reference_id"])
    after = teller.deal(lead_id)
    teller.say("The deal after", *_deal_lines(after))
    teller.promise("status", "Paid", after["fields"]["STRIPE_PAYMENT_STATUS"])
    teller.promise("amount paid", 1200.0, float(after["fields"]["STRIPE_AMOUNT_PAID"]))
    teller.promise("stage", "Paid", after["status"])
    teller.promise("notes", 1, len(after["notes"]))
    teller.promise("stage moves", 1, len(after["moves"]))


async def _everything_again(teller: Storyteller, lead_id: int) -> None:
    stage = teller.stage
    before = teller.deal(lead_id)
    events = [event.id for event in stage.stripe.events]
    for event_id in [*reversed(events), *events]:
        stage.stripe.redeliver(event_id)
    await teller.until(
        "all deliveries done", lambda: all(d.status == "succeeded" for d in stage.stripe.courier.deliveries)
    )
    await asyncio.sleep(1.0)
    teller.say(f"Stripe sends its {len(events)} events twice more, in reverse and in order")
    teller.promise("the deal is the same", True, teller.deal(lead_id) == before)


async def _other_currencies(teller: Storyteller) -> None:
    teller.say("Other currencies, from the form to the deal")
    account = teller.stage.kommo.account
    for currency, amount in CURRENCIES:
        lead = account.add_lead(f"Deal in {currency}", 0)
        await pay_and_watch(teller, lead.id, amount, currency)
        session = next(teller.stage.stripe.default_account.shelves[True].newest("checkout.session"))
        fields = teller.deal(lead.id)["fields"]
        teller.promise(f"{currency} at Stripe", to_minor(amount, currency), session["amount_total"])
        paid = float(fields["STRIPE_AMOUNT_PAID"])
        teller.promise(f"{currency} in the deal", float(major(session["amount_total"], currency)), paid)


def _deal_lines(deal: dict[str, Any]) -> list[str]:
    ours = {code: value for code, value in deal["fields"].items() if code.startswith("STRIPE_")}
    lines = [f"stage: {deal['status']}", *(f"{code}: {value}" for code, value in ours.items())]
    return lines + [f"note: {note['params']['text']}" for note in deal["notes"]]
