"""Merging facts is a join: laws, on generated facts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.facts import (
    DISPUTE_STATUS,
    JOINS,
    PARENTS,
    PAYMENT_STATUS,
    REFUND_STATUS,
    SESSION_STATUS,
    Fact,
    Known,
    by_subject,
    merge,
)

ORDERED = {
    "status": SESSION_STATUS,
    "payment_status": PAYMENT_STATUS,
    "refund_status": REFUND_STATUS,
    "dispute_status": DISPUTE_STATUS,
}
PAIRS = {"received": 3, "asked": 2, "came_to": 2, "refunded_total": 2, "decline": 3, "lead": 2, "snapshot": 2,
         "first_lead": 3, "last_lead": 3, "attached": 2, "split": 4, "presentment": 2, "due": 2,
         "released": 2, "booked": 2, "turn": 5}  # fmt: skip
UNIONS = PARENTS | {"wrong", "events"}
SMALL = st.integers(min_value=0, max_value=4)


def _value(name: str) -> st.SearchStrategy[Any]:
    if name in ORDERED:
        return st.sampled_from(ORDERED[name])
    if name in UNIONS:
        return st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True).map(sorted)
    if name == "totals":
        return st.sets(st.tuples(SMALL, SMALL), max_size=3).map(lambda told: [list(one) for one in sorted(told)])
    if name == "parts":
        return st.dictionaries(st.sampled_from("abc"), st.lists(SMALL, min_size=3, max_size=3), max_size=2)
    if name == "verdicts":
        return st.lists(st.lists(SMALL, min_size=3, max_size=3), min_size=1, max_size=2, unique_by=tuple).map(sorted)
    if name in PAIRS:
        return st.lists(SMALL, min_size=PAIRS[name], max_size=PAIRS[name])
    return SMALL


KNOWN: st.SearchStrategy[Known] = st.fixed_dictionaries({}, optional={name: _value(name) for name in JOINS})


@given(KNOWN, KNOWN)
def test_merging_is_commutative(a: Known, b: Known) -> None:
    assert merge(merge({}, a), b) == merge(merge({}, b), a)


@given(KNOWN, KNOWN, KNOWN)
def test_merging_is_associative(a: Known, b: Known, c: Known) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(KNOWN)
def test_merging_is_idempotent(a: Known) -> None:
    once = merge({}, a)
    assert merge(once, a) == once


def test_a_name_without_a_rule_is_our_own_mistake() -> None:
    try:
        merge({"made_up": 1}, {"made_up": 2})
    except KeyError:
        return
    raise AssertionError("a fact without a rule was merged")


def test_facts_are_gathered_by_the_object_they_speak_of() -> None:
    told = by_subject([Fact("pi_1", "paid_at", 5.0), Fact("cs_1", "kind", "session"), Fact("pi_1", "paid_at", 3.0)])
    assert told == {"pi_1": {"paid_at": 3.0}, "cs_1": {"kind": "session"}}
