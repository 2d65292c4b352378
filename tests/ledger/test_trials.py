"""Which period of a contract is its first: the one that brought the first money."""

import pytest

from tests.ledger.events import T0, Obj, evt, intent, invoice, invoice_payment
from tests.ledger.in_memory import Book

MONTH = 30 * 24 * 3600


def _period(number: int, amount: int, reason: str = "subscription_cycle") -> list[Obj]:
    at, named = T0 + number * MONTH, {"id": f"in_{number}", "status_transitions": {"paid_at": T0 + number * MONTH}}
    paid = evt("invoice.paid", invoice(**named, amount_paid=amount, billing_reason=reason), at)
    if not amount:
        return [paid]
    source = {"type": "payment_intent", "payment_intent": f"pi_{number}"}
    row = invoice_payment(invoice=f"in_{number}", amount_paid=amount, payment=source,
                          status_transitions={"paid_at": at})  # fmt: skip
    money = intent(id=f"pi_{number}", metadata={}, amount_received=amount)
    return [paid, evt("payment_intent.succeeded", money, at), evt("invoice_payment.paid", row, at)]


@pytest.mark.parametrize("first", [0, 9900])
def test_after_a_trial_the_first_charge_is_no_renewal(first: int) -> None:
    events = [*_period(0, first, "subscription_create"), *_period(1, 9900), *_period(2, 9900)]
    payments = Book().tell_events(events).deal().received_anywhere
    later = {payment.id for payment in payments if payment.renewal}
    assert later == ({"pi_1", "pi_2"} if first else {"pi_2"})
