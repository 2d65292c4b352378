"""Cards as laws, on generated facts: any order, any repeats, any split into events give the same ledger and cards."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.facts import DISPUTE_STATUS, PAYMENT_STATUS, REFUND_STATUS, SESSION_STATUS
from tests.ledger.events import LEAD, REQUEST, T0
from tests.ledger.in_memory import Book, KnownFacts

MONEY = st.tuples(st.sampled_from([0, 1, 500, 10000]), st.sampled_from(["EUR", "JPY"])).map(list)
MOMENT = st.integers(T0, T0 + 100)
LEADS = st.sampled_from([LEAD, 815])
CLAIMS = {
    "lead": st.tuples(st.integers(0, 1), LEADS).map(list),
    "marked": st.just(True),
    "foreign": st.just(True),
    "request": st.sampled_from([REQUEST, "unknown"]),
}


def _ids(*ids: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(ids), min_size=1, unique=True).map(sorted)


TURNS = st.tuples(st.integers(0, 3), MOMENT, st.sampled_from(DISPUTE_STATUS)).map(
    lambda turn: [turn[0], turn[2] in ("won", "lost"), turn[1], DISPUTE_STATUS.index(turn[2]), turn[2]]
)
VERDICTS = st.tuples(st.integers(0, 3), MOMENT, st.sampled_from(["lost", "won"])).map(lambda turn: [[*turn]])


KINDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "payment": {
        "received": st.tuples(st.integers(1, 4), st.sampled_from([500, 10000]), st.just("EUR")).map(list),
        "paid_at": MOMENT, "processing": MOMENT, "canceled": MOMENT | st.just(True), "refunded_total": MONEY,
        "totals": st.tuples(MOMENT, st.sampled_from([0, 500, 10000])).map(lambda told: [list(told)]),
        "by_total": st.just(True),
        "released": MONEY,
        "decline": st.tuples(MOMENT, st.just("no money"), st.just("code")).map(list), "presentment": MONEY,
        "session": _ids("cs_1", "cs_2"), "invoice": _ids("in_1"),
        "attached": st.tuples(st.integers(1, 3), st.sampled_from([0, LEAD, 99])).map(list), "period": st.just(77),
    },
    "session": {
        "status": st.sampled_from(SESSION_STATUS), "payment_status": st.sampled_from(PAYMENT_STATUS),
        "mode": st.just("payment"), "asked": MONEY, "came_to": MONEY, "async_failed": MOMENT, "completed_at": MOMENT,
        "split": st.lists(st.integers(0, 900), min_size=4, max_size=4), "bare_lead": LEADS, "trusted": st.just(True),
        "subscription": _ids("sub_1"),
    },
    "invoice": {
        "paid": st.just(True), "written_off": st.just(True), "asked": MONEY, "paid_at": MOMENT,
        "failed_at": MOMENT, "due": MONEY,
        "billing_reason": st.sampled_from(["subscription_create", "subscription_cycle"]),
        "subscription": _ids("sub_1"), "session": _ids("cs_1"), "snapshot_foreign": st.just(True),
        "snapshot": st.tuples(st.integers(0, 1), LEADS).map(list),
        "parts": st.dictionaries(
            st.sampled_from(["pi_1", "pi_2"]), st.tuples(st.just(3), st.integers(1, 900), st.just("EUR")).map(list)
        ),
    },
    "subscription": {
        "ended": MOMENT, "session": _ids("cs_1"),
        "first_lead": st.tuples(MOMENT, st.integers(0, 1), LEADS).map(list),
        "last_lead": st.tuples(MOMENT, st.integers(0, 1), LEADS).map(list),
    },
    "refund": {
        "undone_at": MOMENT, "refund_status": st.sampled_from(REFUND_STATUS),
        "asked": MONEY, "booked": MONEY, "at": MOMENT,
        "payment": _ids("pi_1", "pi_2"),
    },
    "dispute": {
        "dispute_status": st.sampled_from(DISPUTE_STATUS), "turn": TURNS, "verdicts": VERDICTS,
        "inquiry": st.just(True), "method": st.sampled_from(["card", "klarna"]), "booked": MONEY, "asked": MONEY,
        "at": MOMENT, "reason": st.just("general"), "due_by": MOMENT, "appeal": st.just("appeal_under_review"),
        "payment": _ids("pi_1", "pi_2"),
    },
}  # fmt: skip
SUBJECTS = {"pi_1": "payment", "pi_2": "payment", "in_1:outside": "payment", "cs_1": "session", "cs_2": "session",
            "in_1": "invoice", "sub_1": "subscription", "re_1": "refund", "re_2": "refund",
            "du_1": "dispute"}  # fmt: skip


def _told(subject: str) -> st.SearchStrategy[KnownFacts]:
    """What one event says of one object: some of what there is to say."""
    kind = SUBJECTS[subject]
    claims = CLAIMS if kind in ("payment", "session", "invoice", "subscription") else {}
    said = st.fixed_dictionaries({"kind": st.just(kind)}, optional=KINDS[kind] | claims)
    return said.map(lambda known: {subject: known})


EVENTS = st.lists(st.sampled_from(sorted(SUBJECTS)).flatmap(_told), min_size=2, max_size=14)


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_ledger_and_cards_are_a_function_of_the_set_of_facts(events: list[KnownFacts], chance: Any) -> None:
    straight, mixed, again = Book(), Book(), [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(again)
    for one in events:
        straight.tell(one)
    for one in again:
        mixed.tell(one)
    assert mixed.picture() == straight.picture()
