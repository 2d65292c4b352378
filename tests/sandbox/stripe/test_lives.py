"""What happens to payments after and beside the main road (docs/facts/stripe.md C3 to C10)."""

from typing import Any

import pytest
import stripe

from sandbox.stripe import Payer, StripeWorld
from sandbox.stripe.lives.foreign import Foreign
from sandbox.stripe.objects.refusals import Refusal
from tests.sandbox.stripe.conftest import payment_params, subscription_params
from tests.sandbox.stripe.lives import new_session, paid_intent


@pytest.fixture
def still() -> StripeWorld:
    """A world without HTTP, its time standing still."""
    return StripeWorld(lambda: 1_795_430_000.0, seed=3)


def session(world: StripeWorld, params: Any = None) -> Any:
    return new_session(world.default_account.shelves[False], params)


def paid(world: StripeWorld) -> str:
    return paid_intent(world, world.default_account.shelves[False])


def told(world: StripeWorld, since: int = 0) -> list[str]:
    return [event.type for event in world.events[since:]]


def test_a_card_payment_makes_its_events_in_the_usual_order(still: StripeWorld) -> None:
    still.pay_session(session(still)["id"])
    assert told(still) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_snapshots_keep_the_moment(still: StripeWorld) -> None:
    still.pay_session(session(still)["id"])
    created, *_, updated = still.events
    assert created.snapshots["pinned"]["status"] == "requires_payment_method"
    assert updated.snapshots["pinned"]["balance_transaction"].startswith("txn_")
    assert updated.previous == {"balance_transaction": None}


def test_a_delayed_payment_completes_unpaid_and_settles_later(still: StripeWorld) -> None:
    paid_late = still.pay_session(session(still)["id"], Payer("delayed"))
    assert (paid_late["status"], paid_late["payment_status"]) == ("complete", "unpaid")
    before = len(still.events)
    intent = still.settle_payment(paid_late["payment_intent"])
    assert (paid_late["payment_status"], intent["amount_received"]) == ("paid", 1000)
    assert "checkout.session.async_payment_succeeded" in told(still, before)


def test_a_delayed_payment_that_fails_leaves_the_session_complete_and_unpaid(still: StripeWorld) -> None:
    late = still.pay_session(session(still)["id"], Payer("delayed"))
    still.settle_payment(late["payment_intent"], "failed")
    assert (late["status"], late["payment_status"]) == ("complete", "unpaid")
    assert told(still)[-2:] == ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]


def test_a_delayed_subscription_is_paid_when_the_money_comes(still: StripeWorld) -> None:
    first = still.pay_session(session(still, subscription_params())["id"], Payer("delayed"))
    intent = next(event for event in still.events if event.type == "payment_intent.created").snapshots["pinned"]["id"]
    still.settle_payment(intent)
    assert first["payment_status"] == "paid"
    assert {"invoice.paid", "checkout.session.async_payment_succeeded"} <= set(told(still))


def test_a_declined_card_leaves_the_session_open_for_the_same_payment_intent(still: StripeWorld) -> None:
    tried = still.pay_session(session(still)["id"], Payer("declined"))
    first = tried["payment_intent"]
    assert (tried["status"], told(still)[-1]) == ("open", "payment_intent.payment_failed")
    assert still.pay_session(tried["id"])["payment_intent"] == first
    assert tried["payment_status"] == "paid"


def test_an_invoice_beside_a_one_time_payment_is_the_same_money(still: StripeWorld) -> None:
    params = payment_params(invoice_creation={"enabled": True, "invoice_data": {"metadata": {"kommo_lead_id": "4711"}}})
    done = still.pay_session(session(still, params)["id"])
    invoice = still.locate(done["invoice"])[1]
    assert (invoice["status"], invoice["parent"], invoice["metadata"]) == ("paid", None, {"kommo_lead_id": "4711"})
    assert {"invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"} <= set(told(still))


def test_a_trial_moves_no_money_and_has_no_payment_intent(still: StripeWorld) -> None:
    trial = session(still, subscription_params(subscription_data={"trial_period_days": 7}))
    still.pay_session(trial["id"])
    assert (trial["amount_total"], trial["payment_status"]) == (0, "paid")
    assert "payment_intent.created" not in told(still)
    assert still.locate(trial["invoice"])[1]["amount_paid"] == 0


def test_a_full_discount_completes_for_nothing(still: StripeWorld) -> None:
    gift = still.pay_session(session(still)["id"], Payer(discount=1000))
    assert (gift["amount_total"], gift["payment_intent"], gift["status"]) == (0, None, "complete")


def test_tax_and_discount_change_the_total(still: StripeWorld) -> None:
    taxed = still.pay_session(session(still)["id"], Payer(tax=190, discount=100))
    assert taxed["amount_total"] == 1090
    assert still.locate(taxed["payment_intent"])[1]["amount_received"] == 1090


def test_a_renewal_is_an_invoice_without_a_session(still: StripeWorld) -> None:
    first = still.pay_session(session(still, subscription_params())["id"])
    renewal = still.renew_subscription(first["subscription"])
    assert (renewal["billing_reason"], renewal["status"]) == ("subscription_cycle", "paid")
    assert renewal["parent"]["subscription_details"]["metadata"] == {"kommo_lead_id": "4711"}
    item = still.locate(first["subscription"])[1]["items"]["data"][0]
    assert item["current_period_end"] - item["current_period_start"] in (28 * 86400, 30 * 86400, 31 * 86400)


def test_a_failed_renewal_is_collected_by_the_same_payment_intent(still: StripeWorld) -> None:
    first = still.pay_session(session(still, subscription_params())["id"])
    failed = still.renew_subscription(first["subscription"], "failed")
    assert (failed["status"], still.locate(first["subscription"])[1]["status"]) == ("open", "past_due")
    assert still.retry_renewal(first["subscription"])["status"] == "paid"


def test_partial_refunds_add_up_on_the_charge(still: StripeWorld) -> None:
    intent = paid(still)
    first, second = still.refund(intent, 300), still.refund(intent, 700)
    charge = still.locate(second["charge"])[1]
    assert (charge["amount_refunded"], charge["refunded"], first["status"]) == (1000, True, "succeeded")
    with pytest.raises(Refusal) as caught:
        still.refund(intent, 1)
    assert caught.value.as_json()["error"]["code"] == "charge_already_refunded"


def test_a_refund_that_fails_gives_the_money_back_to_the_shop(still: StripeWorld) -> None:
    refund = still.refund(paid(still), outcome="failed")
    assert (refund["status"], still.locate(refund["charge"])[1]["amount_refunded"]) == ("failed", 0)
    assert told(still)[-3:] == ["refund.failed", "refund.updated", "charge.refund.updated"]


async def test_a_refund_by_api_names_its_request_in_the_event(world: StripeWorld, client: stripe.StripeClient) -> None:
    created = await client.v1.checkout.sessions.create_async(payment_params())
    intent = world.pay_session(created.id)["payment_intent"]
    params: Any = {"payment_intent": intent, "amount": 400}
    refund = await client.v1.refunds.create_async(params, {"idempotency_key": "refund-7"})
    event = next(event for event in world.events if event.type == "refund.created")
    assert event.request["idempotency_key"] == "refund-7"
    assert [each.id for each in await client.v1.refunds.list_async({"payment_intent": intent})] == [refund.id]


def test_a_dispute_takes_the_money_until_it_is_won(still: StripeWorld) -> None:
    dispute = still.open_dispute(paid(still))
    before = len(still.events)
    still.close_dispute(dispute["id"], "won")
    assert dispute["status"] == "won"
    assert told(still, before) == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]


def test_an_inquiry_moves_no_money(still: StripeWorld) -> None:
    inquiry = still.open_dispute(paid(still), inquiry=True)
    assert (inquiry["status"], told(still)[-1]) == ("warning_needs_response", "charge.dispute.created")
    assert still.close_dispute(inquiry["id"], "won")["status"] == "warning_closed"


def test_a_refund_of_all_ends_an_inquiry(still: StripeWorld) -> None:
    intent = paid(still)
    inquiry = still.open_dispute(intent, inquiry=True)
    assert (inquiry["is_charge_refundable"], still.refund(intent)["status"]) == (True, "succeeded")
    assert (inquiry["status"], told(still)[-1]) == ("warning_closed", "charge.dispute.closed")


@pytest.mark.parametrize(("reading", "moves"), [("booked", [-1000, 1000, -1000]), ("unbooked", [-1000, 1000])])
def test_a_dispute_is_decided_again(still: StripeWorld, reading: str, moves: list[int]) -> None:
    still.ground.switches.turn({"dispute_turns": reading})
    dispute = still.open_dispute(paid(still))
    still.close_dispute(dispute["id"], "won")
    still.decide_dispute_again(dispute["id"])
    assert (dispute["status"], told(still)[-1]) == ("lost", "charge.dispute.closed")
    assert [move["amount"] for move in dispute["balance_transactions"]] == moves


@pytest.mark.parametrize("reading", ["refund_object", "total_only"])
def test_what_a_capture_in_part_lets_go_looks_refunded(still: StripeWorld, reading: str) -> None:
    still.ground.switches.turn({"capture_release": reading})
    intent = still.capture_payment(still.hold_payment(20675, "eur", {})["id"], 20300)
    charge = still.locate(intent["latest_charge"])[1]
    assert (intent["status"], intent["amount"], intent["amount_received"]) == ("succeeded", 20675, 20300)
    assert (charge["amount_captured"], charge["amount_refunded"], charge["refunded"]) == (20300, 375, False)
    assert ("refund.created" in told(still)) == (reading == "refund_object")
    with pytest.raises(Refusal):
        still.refund(intent["id"], 20301)
    assert still.refund(intent["id"])["amount"] == 20300


def test_a_hold_that_is_let_go_looks_refunded(still: StripeWorld) -> None:
    intent = still.capture_payment(still.hold_payment(700, "eur", {})["id"], 0)
    charge = still.locate(intent["latest_charge"])[1]
    assert (intent["status"], charge["captured"], charge["refunded"]) == ("canceled", False, True)


def test_a_disputed_charge_can_not_be_refunded(still: StripeWorld) -> None:
    intent = paid(still)
    still.open_dispute(intent)
    with pytest.raises(Refusal) as caught:
        still.refund(intent)
    assert caught.value.as_json()["error"]["code"] == "charge_disputed"


def test_an_invoice_is_paid_in_parts_and_too_much(still: StripeWorld) -> None:
    invoice = still.send_invoice(5000, "eur")
    still.pay_invoice(invoice["id"], 2000)
    assert (invoice["status"], invoice["amount_remaining"], "invoice.paid" in told(still)) == ("open", 3000, False)
    still.pay_invoice(invoice["id"], 4000)
    assert (invoice["status"], invoice["amount_paid"], invoice["amount_overpaid"]) == ("paid", 6000, 1000)


def test_an_invoice_paid_outside_stripe_has_a_record_and_no_charge(still: StripeWorld) -> None:
    invoice = still.pay_invoice(still.send_invoice(700, "eur")["id"], outside=True)
    event = next(event for event in still.events if event.type == "invoice.paid")
    assert (invoice["amount_paid"], event.snapshots["legacy"]["paid_out_of_band"]) == (700, True)
    assert event.snapshots["legacy"]["amount_paid"] == 0
    assert "invoice.payment_succeeded" not in told(still)


def test_a_foreign_payment_carries_what_others_wrote(still: StripeWorld) -> None:
    other = still.foreign_payment(Foreign("payment_link", client_reference_id="99", metadata={"order": "A-1"}))
    assert (other["payment_link"][:6], other["client_reference_id"], other["status"]) == ("plink_", "99", "complete")


def test_the_same_seed_makes_the_same_ids() -> None:
    first, second = (StripeWorld(lambda: 1.0, seed=5).default_account.id for _ in range(2))
    assert first == second
    assert StripeWorld(lambda: 1.0, seed=6).default_account.id != first
