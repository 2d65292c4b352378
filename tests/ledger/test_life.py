"""Whatever happens at Stripe and to its post, the ledger ends at Stripe's truth and never says more before.

``LIFE_RUNS`` in the environment: so many lives in the full run; with ``--hypothesis-seed`` others than the last time.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from backend.facts import WHOLE_INVOICE_RANK
from backend.ledger.deal import Payment
from tests.ledger.shop.random_shop import LEADS, REQUESTS, RandomShop

RUNS, STEPS = 2000, 20
FULL_RUNS, FULL_STEPS = int(os.environ.get("LIFE_RUNS") or 50_000), 60
SMALL = st.integers(min_value=0, max_value=35)
GOING_ON = ("refund", "finish", "dispute", "close", "turn", "capture", "settle", "renew")
DEEDS = st.sampled_from(sorted(RandomShop(0).deeds))


class Life(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.shop = RandomShop(1)

    @rule(deed=DEEDS, a=SMALL, b=SMALL)
    def happen(self, deed: str, a: int, b: int) -> None:
        self.shop.do(deed, a, b)

    @rule(a=SMALL, b=SMALL)
    def pay(self, a: int, b: int) -> None:
        self.shop.do("pay", a, b)

    @rule(
        deed=st.sampled_from(["refund", "finish", "dispute", "close", "turn", "capture", "settle", "renew"]),
        a=SMALL,
        b=SMALL,
    )
    def go_on(self, deed: str, a: int, b: int) -> None:
        self.shop.do(deed, a, b)

    @rule(at=SMALL, count=st.integers(min_value=1, max_value=6))
    def deliver(self, at: int, count: int) -> None:
        for _ in range(count):
            self.shop.deliver(at)

    @rule(at=SMALL)
    def duplicate(self, at: int) -> None:
        self.shop.duplicate(at)

    @rule(at=SMALL, lead=st.sampled_from([0, *LEADS, 99]))
    def attach(self, at: int, lead: int) -> None:
        self.shop.attach(at, lead)

    @rule(gone=st.sampled_from(LEADS), survivor=st.sampled_from([*LEADS, 99]))
    def merge(self, gone: int, survivor: int) -> None:
        self.shop.merge(gone, survivor)

    @rule()
    def look(self) -> None:
        """Never more money than Stripe has, on the way either, and each payment in one deal at the most."""
        shown, truth = self.shop.shown(), self.shop.received()
        together = Counter[str]()
        for payment in shown:
            together[payment.id] += payment.amount
            if self.shop.shares(payment.id):
                assert together[payment.id] <= truth[payment.id]
            else:
                assert together[payment.id] == truth.get(payment.id) or self._only_its_invoice_tells(payment)

    def _only_its_invoice_tells(self, payment: Payment) -> bool:
        """Other parts of the invoice may still be on the way; all that are shown are no more than it took."""
        shop = self.shop
        if shop.book.facts[payment.id]["received"][0] != WHOLE_INVOICE_RANK or payment.invoice is None:
            return False
        invoice = shop.shelf.find("invoice", payment.invoice)
        together = [one for one in shop.shown() if one.invoice == payment.invoice]
        known = sum(shop.received().get(one.id, 0) for one in together)
        return invoice is not None and sum(one.amount for one in together) <= max(invoice["total"], known)

    def teardown(self) -> None:
        """What was lost or late comes in the end: Stripe sends again for three days."""
        shop = self.shop
        while shop.waiting:
            shop.deliver(0)
        assert shop.book.picture() == shop.straight().picture()
        amounts, refunded, lost = Counter[str](), Counter[str](), Counter[str]()
        for payment in shop.shown():
            amounts[payment.id] += payment.amount
            refunded[payment.id] += payment.refunded
            lost[payment.id] += payment.lost
            assert payment.disputed == shop.disputed(payment.id)
            assert bool(payment.inquiries) == shop.asks_about(payment.id)
        assert amounts == {one: shop.received()[one] for one in amounts}
        assert refunded == {one: shop.refunded(one) for one in amounts}
        assert lost == {one: shop.lost(one) for one in amounts}
        self._each_deal_has_the_shares_of_its_invoices()
        self._no_currency_is_added_to_another()
        self._nothing_is_missing()
        self._what_was_a_merged_deals_is_its_survivors()

    def _each_deal_has_the_shares_of_its_invoices(self) -> None:
        shop, owners = self.shop, self.shop.book.owners()
        for lead, deal in shop.book.deals().items():
            for payment in deal.received_anywhere:
                told = shop.shares(payment.id)
                if told and "attached" not in shop.book.facts[payment.id]:
                    assert payment.amount == sum(part for one, part in told.items() if owners[one].lead_id == lead)

    def _what_was_a_merged_deals_is_its_survivors(self) -> None:
        shop = self.shop
        without = ((one.id, lead) for lead, deal in shop.unmerged().deals().items() for one in deal.received_anywhere)
        here = ((one.id, lead) for lead, deal in shop.book.deals().items() for one in deal.received_anywhere)
        assert {*here} == {(payment, shop.where(lead)) for payment, lead in without}
        asked = {request.id: lead for lead, deal in shop.book.deals().items() for request in deal.requests}
        assert asked == {name: shop.where(lead) for name, (lead, _) in REQUESTS.items()}

    def _no_currency_is_added_to_another(self) -> None:
        for deal in self.shop.book.deals().values():
            truth = Counter[str]()
            for payment in deal.received_anywhere:
                shared = self.shop.shares(payment.id)
                truth[self.shop.currency(payment.id)] += payment.amount if shared else self.shop.received()[payment.id]
            assert {one.currency: one.gross for one in deal.sums if one.gross} == truth

    def _nothing_is_missing(self) -> None:
        shop = self.shop
        detached = {one for one, owner in shop.book.owners().items() if owner.ours and owner.lead_id is None}
        ours = {one for one, owner in shop.book.owners().items() if owner.ours}
        assert {payment.id for payment in shop.shown()} == (shop.received().keys() & ours) - detached


def _settings(runs: int, steps: int) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


TestLife = Life.TestCase
TestLife.settings = _settings(RUNS, STEPS)


class LongLife(Life):
    """The same, for a night."""


TestLongLife = pytest.mark.full(LongLife.TestCase)
TestLongLife.settings = _settings(FULL_RUNS, FULL_STEPS)
