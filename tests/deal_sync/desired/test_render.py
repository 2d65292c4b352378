"""The card as a function of the ledger."""

import pytest

from backend.deal_sync.desired.notes import as_one
from backend.deal_sync.desired.render import render
from backend.deal_sync.desired.texts import LANGUAGES, texts
from tests.ledger.build import NOW, deal, dispute, payment, refund, request, session

ENGLISH = texts("en")
LINK = "https://pay.example.com"


def _render(*parts: object, test: bool = False):  # type: ignore[no-untyped-def]
    return render(deal(*parts), ENGLISH, link_base=LINK, test=test)  # type: ignore[arg-type]


def test_a_paid_deal_fills_the_nine_fields() -> None:
    assert _render(request(), payment()).fields == {
        "STRIPE_PAYMENT_STATUS": "paid",
        "STRIPE_AMOUNT_PAID": "100",
        "STRIPE_REFUNDED": "0",
        "STRIPE_OUTSTANDING": "0",
        "STRIPE_CURRENCY": "EUR",
        "STRIPE_PAYMENT_INTENT": "pi_1",
        "STRIPE_PAYMENT_DATE": int(NOW - 60),
        "STRIPE_PAYMENTS": "1",
        "STRIPE_PAYMENT_LINK": None,
    }


def test_a_request_writes_its_link_and_pending() -> None:
    fields = _render(request()).fields
    assert fields["STRIPE_PAYMENT_STATUS"] == "pending"
    assert fields["STRIPE_PAYMENT_LINK"] == f"{LINK}/p/abcdefghijklmnop"
    assert fields["STRIPE_OUTSTANDING"] == "100"


def test_nothing_known_wants_nothing_written() -> None:
    wanted = _render()
    assert (wanted.fields, wanted.notes, wanted.stages) == ({}, (), ())


@pytest.mark.parametrize(
    ("currency", "minor", "written"),
    [("JPY", 500, "500"), ("KWD", 1500, "1.5"), ("ISK", 500000, "5000"), ("UGX", 500, "5"), ("EUR", 1010, "10.1")],
)
def test_amounts_are_written_in_major_units(currency: str, minor: int, written: str) -> None:
    fields = _render(request(minor, currency=currency), payment(minor, currency=currency)).fields
    assert fields["STRIPE_AMOUNT_PAID"] == written


def test_a_payments_note_is_a_sentence_with_the_way_to_stripe() -> None:
    (note,) = _render(request(), payment()).notes
    page = "https://dashboard.stripe.com/payments/pi_1"
    assert note.text == f"The client paid 100.00 EUR for “Sofa”. {page}"
    (stray,) = _render(payment(request_id=None)).notes
    assert stray.text == f"The client paid 100.00 EUR. {page}"
    (tried,) = _render(payment(request_id=None, livemode=False), test=True).notes
    assert tried.text == "TEST The client paid 100.00 EUR. https://dashboard.stripe.com/test/payments/pi_1"
    (outside,) = _render(payment(id="in_1:1", invoice="in_1", outside=True, request_id=None)).notes
    assert outside.text == "The client paid 100.00 EUR outside Stripe. https://dashboard.stripe.com/invoices/in_1"
    assert as_one([note], ENGLISH).startswith(f"[{note.marker}] {note.text}")


def test_a_note_tells_tax_and_discount() -> None:
    (note,) = _render(request(), payment(12100, split=(11000, 1000, 0, 2100))).notes
    assert "(110.00 EUR - 10.00 EUR discount + 21.00 EUR tax)" in note.text


@pytest.mark.parametrize(
    ("paid", "split", "said"),
    [
        (11900, (11900, 0, 0, 1900), "(incl. 19.00 EUR tax)"),
        (11400, (11900, 1000, 500, 1820), "(119.00 EUR - 10.00 EUR discount + 5.00 EUR shipping, incl. 18.20 EUR tax)"),
        (20300, (20675, 0, 0, 0), "The client paid 203.00 EUR for"),  # captured in part
        (20300, (20675, 0, 0, 3301), "The client paid 203.00 EUR for"),
    ],
)
def test_a_note_adds_up_to_what_was_paid(paid: int, split: tuple[int, int, int, int], said: str) -> None:
    (note,) = _render(request(paid), payment(paid, split=split)).notes
    assert said in note.text
    assert "(" in said or "(" not in note.text


def test_only_a_final_refund_has_a_note() -> None:
    notes = _render(request(), payment(refunds=(refund(500), refund(600, "pending", "re_2")))).notes
    assert [note.fact_id for note in notes] == ["payment:pi_1", "refund:re_1"]


def test_a_dispute_has_a_note_when_it_opens_and_when_it_is_decided() -> None:
    notes = _render(request(), payment(disputes=(dispute("lost"),))).notes
    assert [note.fact_id for note in notes][1:] == ["dispute:du_1", "dispute:du_1:lost"]


def test_every_note_of_a_deal_differs() -> None:
    parts = payment(refunds=(refund(500),), disputes=(dispute("won"),)), payment(id="pi_2")
    notes = [note.text for note in _render(request(), *parts).notes]
    assert len(set(notes)) == len(notes) == 6


def test_test_money_is_marked() -> None:
    assert all(note.text.startswith("TEST ") for note in _render(request(), payment(), test=True).notes)


def test_a_paid_request_earns_one_move() -> None:
    (goal,) = _render(request(), payment()).stages
    assert (goal.kind, goal.fact_id, goal.held) == ("paid", "paid:r1", "")


def test_renewals_earn_none_of_their_own() -> None:
    first = _render(request(mode="subscription"), payment(subscription="sub_1")).stages
    later = _render(
        request(mode="subscription"), payment(subscription="sub_1"), payment(id="pi_2", subscription="sub_1")
    ).stages
    assert [goal.fact_id for goal in first] == [goal.fact_id for goal in later]


def test_money_older_than_three_days_is_told_as_old() -> None:
    (goal,) = _render(request(), payment(paid_at=NOW - 72 * 3600 - 1)).stages
    assert goal.held == "the money is older than 72 hours"


def test_part_of_the_money_earns_the_first_stage_only() -> None:
    assert [goal.kind for goal in _render(request(), request(id="r2"), payment()).stages] == ["first"]


def test_a_full_discount_settles_and_says_so() -> None:
    free = request(sessions=(session("complete", "no_payment_required", asked=(0, "EUR"), completed_at=NOW - 5),))
    wanted = _render(free)
    assert [note.fact_id for note in wanted.notes] == ["free:r1"]
    assert [goal.fact_id for goal in wanted.stages] == ["paid:r1"]


def test_an_open_dispute_asks_for_a_task_and_a_decided_one_heals_it() -> None:
    (opened,) = _render(request(), payment(disputes=(dispute("needs_response"),))).tasks
    (closed,) = _render(request(), payment(disputes=(dispute("won"),))).tasks
    assert (opened.fact_id, opened.healed, closed.healed) == ("dispute:du_1", False, True)


def test_money_beyond_expected_is_told_and_asks_for_a_task_until_it_went_back() -> None:
    wanted = _render(request(), payment(), payment(3000, id="pi_2", request_id=None))
    (note,) = (note for note in wanted.notes if note.fact_id == "overpaid:pi_2")
    assert "30.00 EUR" in note.text
    assert [(task.fact_id, task.healed) for task in wanted.tasks] == [("overpaid", False)]
    back = payment(3000, id="pi_2", request_id=None, refunds=(refund(3000),))
    assert [task.healed for task in _render(request(), payment(), back).tasks] == [True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_say_all_sentences_with_the_same_placeholders(language: str) -> None:
    spoken, english = texts(language).sentences, ENGLISH.sentences
    assert spoken.keys() == english.keys()
    for name, sentence in spoken.items():
        assert _placeholders(sentence) == _placeholders(english[name]), name


def _placeholders(sentence: str) -> set[str]:
    return {part.split("}")[0] for part in sentence.split("{")[1:]}
