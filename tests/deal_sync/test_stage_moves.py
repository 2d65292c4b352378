"""A move whose answer was lost: what is known from where the deal stands and what its fields hold."""

from dataclasses import replace
from typing import Any

import pytest

from backend.deal_sync.stage_moves import intent_of, settled
from backend.kommo_api.values import FieldValue, Lead
from backend.storage.models import CardWrite

NEW, OFFER, PAID = 1, 2, 3
AMOUNT = 77
PIPELINE = 5
LEAD = Lead(1, "Sofa", 0, PIPELINE, NEW, responsible_user_id=9, group_id=0, updated_at=0, updated_by=0)
WRITTEN = {AMOUNT: (FieldValue("120"),)}


def _settled(lead: Lead, *, is_due: bool) -> tuple[bool, CardWrite]:
    write = CardWrite(account_id=1, lead_id=1, kind="stage", fact_id="paid:x", state="sent")
    write.content = intent_of(LEAD, PAID, [AMOUNT])
    return settled(write, lead, is_due=is_due), write


@pytest.mark.parametrize("is_due", [False, True])
def test_a_deal_at_the_target_was_moved(is_due: bool) -> None:
    known, write = _settled(replace(LEAD, status_id=PAID, fields=WRITTEN), is_due=is_due)
    assert (known, write.state) == (True, "done")
    assert write.content["to"] == PAID


def test_a_deal_that_is_as_it_was_may_still_be_moved() -> None:
    assert _settled(LEAD, is_due=False)[0] is False


def test_a_deal_that_is_as_it_was_when_all_time_is_over_was_not_moved() -> None:
    known, write = _settled(LEAD, is_due=True)
    assert (known, write.state) == (True, "intended")


@pytest.mark.parametrize("place", [{"status_id": NEW}, {"status_id": OFFER}, {"pipeline_id": 6, "status_id": 60}])
def test_a_deal_that_was_written_and_stands_elsewhere_was_moved_on_by_a_person(place: dict[str, Any]) -> None:
    known, write = _settled(replace(LEAD, fields=WRITTEN, **place), is_due=False)
    assert (known, write.state) == (True, "done")
    assert (write.content["to"], "person" in write.content["stayed"]) == (PAID, True)


def test_a_deal_that_was_not_written_and_stands_elsewhere_is_left_to_the_person_and_counts_as_never_moved_by_us() -> (
    None
):
    known, write = _settled(replace(LEAD, status_id=OFFER), is_due=False)
    assert (known, write.state) == (True, "done")
    assert "to" not in write.content
