"""Endpoints of before 2024-10-28 hear of a refund by card only by the charge's total, and of one that failed."""

from collections import Counter
from random import Random

import pytest

from sandbox.clock import MovableClock
from tests.ledger.events import T0
from tests.ledger.shop.random_shop import RandomShop

DEEDS = ("pay", "pay", "refund", "refund", "finish", "hold", "capture", "dispute", "close", "turn", "settle")
OLD = {"invoice_payment_paid_on_legacy": "sent", "refund_created_on_legacy": "absent"}


@pytest.mark.parametrize("seed", range(40))
def test_what_went_back_is_right_though_only_totals_tell(seed: int) -> None:
    chance, clock = Random(seed), MovableClock(lambda: float(T0))
    shop = RandomShop(seed, clock, families=("legacy",), switches=OLD)
    for _ in range(14):
        clock.advance(chance.choice([1, 5, 90, 4000]))
        shop.do(chance.choice(DEEDS), chance.randrange(36), chance.randrange(36))
    chance.shuffle(shop.waiting)
    while shop.waiting:
        shop.deliver(0)
    refunded, lost = Counter[str](), Counter[str]()
    for payment in shop.shown():
        refunded[payment.id] += payment.refunded
        lost[payment.id] += payment.lost
    assert refunded == {one: shop.refunded(one) for one in refunded}
    assert lost == {one: shop.lost(one) for one in lost}
