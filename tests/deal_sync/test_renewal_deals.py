"""A deal of its own for each renewal, where an admin chose so: made once, whatever happens on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlmodel import col

from backend.storage.models import Account, CardWrite, LedgerEntry
from backend.work_queue.wakeups import mark_dirty
from sandbox.clock import MovableClock
from tests.world import World, open_world

LEADS = "/api/v4/leads$"


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[World]:
    more = {"settle_seconds": 1.0}
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", more=more) as one:
        await _choose(one, "new_deal")
        yield one


async def _choose(product: World, renewals: str, **more: int) -> None:
    url = f"{product.url}/admin/api/accounts/{product.account.id}/options"
    answer = await product.http.put(url, json={"renewals": renewals} | more, headers=product.admin)
    assert answer.status_code == 200, answer.text


async def _contract(product: World) -> int:
    lead_id = product.lead("Hosting")
    await product.pay(await product.link(lead_id, mode="subscription", interval="month"))
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    return lead_id


def _renew(product: World) -> None:
    subscription = next(product.stripe.default_account.shelves[True].newest("subscription"))
    product.stripe.renew_subscription(subscription["id"])


async def _problem(product: World) -> str:
    (account,) = (await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)).json()
    return str(account["problem"])


def _others(product: World, known: set[int]) -> list[int]:
    return sorted(product.account.leads.keys() - known)


async def _one_new_deal(product: World, known: set[int]) -> int:
    await product.until(lambda: _others(product, known) and product.notes(_others(product, known)[0]))
    await product.quiet()
    (made,) = _others(product, known)
    return made


async def test_a_renewal_gets_a_deal_of_its_own_and_the_contract_keeps_the_first(product: World) -> None:
    contract = await _contract(product)
    known = set(product.account.leads)
    _renew(product)
    made = await _one_new_deal(product, known)
    for lead_id in (contract, made):
        fields = product.fields(lead_id)
        assert (float(fields["STRIPE_AMOUNT_PAID"]), fields["STRIPE_PAYMENT_STATUS"]) == (120, "Paid")
        assert len(product.notes(lead_id)) == 1
    deal = product.account.leads[made]
    assert deal.name.startswith("Hosting 20")
    assert (deal.price, product.deal(made)["status"]) == (120, "Paid")
    assert product.deal(made)["moves"] == []
    _renew(product)
    await product.until(lambda: len(_others(product, known)) == 2 and product.notes(_others(product, known)[1]))


async def test_a_renewal_that_two_connections_heard_of_gets_one_deal(product: World) -> None:
    """The same Stripe account was connected twice."""
    contract = await _contract(product)
    await _choose(product, "same_deal")
    _renew(product)
    await product.until(lambda: float(product.fields(contract)["STRIPE_AMOUNT_PAID"]) == 240)
    await product.quiet()
    payment = str(product.fields(contract)["STRIPE_PAYMENT_INTENT"])
    known = set(product.account.leads)
    await _choose(product, "new_deal")
    await product.quiet()
    await product.stored.hear_twice()
    async with product.resources.database.write() as session:  # as if it had just come
        await session.exec(delete(CardWrite).where(col(CardWrite.fact_id) == f"payment:{payment}"))
        await mark_dirty(session, product.account.id, [contract], product.clock())
    product.resources.work_arrived.set()
    made = await _one_new_deal(product, known)
    assert {row.lead_id for row in await product.rows(LedgerEntry) if row.id == payment} == {made}


async def test_a_refund_of_a_period_goes_to_its_deal(product: World) -> None:
    contract = await _contract(product)
    known = set(product.account.leads)
    _renew(product)
    made = await _one_new_deal(product, known)
    product.stripe.refund(str(product.fields(made)["STRIPE_PAYMENT_INTENT"]))
    await product.until(lambda: product.fields(made)["STRIPE_PAYMENT_STATUS"] == "Refunded")
    await product.quiet()
    assert product.fields(contract)["STRIPE_PAYMENT_STATUS"] == "Paid"


async def test_money_that_is_old_when_it_reaches_us_starts_no_bots(tmp_path: Path) -> None:
    clock = MovableClock()
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db", clock=clock) as product:
        await _choose(product, "new_deal", stage_hours=1)
        contract = await _contract(product)
        known = set(product.account.leads)
        product.stripe.courier.held = True
        _renew(product)
        clock.advance(3700)
        product.stripe.courier.release()
        made = await _one_new_deal(product, known)
        assert product.deal(made)["status"] not in ("Paid", product.deal(contract)["status"])
        assert product.deal(made)["moves"] == []


async def test_without_the_field_the_name_carries_the_stripe_id(product: World) -> None:
    await _contract(product)
    known = set(product.account.leads)
    async with product.resources.database.write() as session:
        account = await session.get_one(Account, product.account.id)
        account.fields = {code: kept for code, kept in account.fields.items() if code != "STRIPE_PAYMENT_INTENT"}
        session.add(account)
    product.kommo.faults.add("drop_after", LEADS, method="POST")
    _renew(product)
    made = await _one_new_deal(product, known)
    assert " pi_" in product.account.leads[made].name


RARER = [pytest.param(kind, marks=pytest.mark.full) for kind in ("drop_before", "504_after", "500_json")]


@pytest.mark.parametrize("kind", ["drop_after", *RARER])
async def test_a_lost_answer_makes_no_second_deal(product: World, kind: str) -> None:
    await _contract(product)
    known = set(product.account.leads)
    product.kommo.faults.add(kind, LEADS, method="POST")
    _renew(product)
    made = await _one_new_deal(product, known)
    assert float(product.fields(made)["STRIPE_AMOUNT_PAID"]) == 120


async def test_what_kommo_refuses_stays_on_the_contracts_deal_and_the_admin_is_told(product: World) -> None:
    contract = await _contract(product)
    known = set(product.account.leads)
    product.kommo.faults.add("402", LEADS, method="POST")
    _renew(product)
    await product.until(lambda: len(product.notes(contract)) == 2)
    await product.quiet()
    assert _others(product, known) == []
    assert float(product.fields(contract)["STRIPE_AMOUNT_PAID"]) == 240
    told = f"no new deal for a renewal of deal {contract}"
    assert told in await _problem(product)
    async with product.resources.database.write() as session:  # its set-up is made once more, as every night
        account = await session.get_one(Account, product.account.id)
        account.set_up_at = 0.0
        session.add(account)
    product.resources.work_arrived.set()
    await product.quiet()
    assert told in await _problem(product)


@pytest.mark.parametrize("reading", ["403", "400_244"])
async def test_an_integration_that_may_not_create_deals_writes_to_existing_ones(product: World, reading: str) -> None:
    product.kommo.switches.set("no_right", reading)
    contract, other = await _contract(product), product.lead()
    known, link = set(product.account.leads), await product.link(other)
    await product.quiet()
    admin = product.account.admin
    admin.is_admin, admin.leads.add = False, "D"
    _renew(product)
    await product.pay(link)
    await product.until(lambda: product.notes(other) and len(product.notes(contract)) == 2)
    admin.is_admin = True
    await product.quiet()
    assert _others(product, known) == []
    assert f"no new deal for a renewal of deal {contract}" in await _problem(product)


async def test_periods_that_were_told_on_the_contract_stay_there(product: World) -> None:
    await _choose(product, "same_deal")
    contract = await _contract(product)
    known = set(product.account.leads)
    _renew(product)
    await product.until(lambda: len(product.notes(contract)) == 2)
    await product.quiet()
    await _choose(product, "new_deal")
    for event in product.stripe.events:
        product.stripe.redeliver(event.id)
    await product.quiet()
    assert _others(product, known) == []
    assert [write for write in await product.rows(CardWrite) if write.kind == "deal"] == []


async def test_the_option_says_how_many_deals_a_year_it_makes(product: World) -> None:
    await _contract(product)
    accounts = (await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)).json()
    assert accounts[0]["renewals_a_year"] == 12
