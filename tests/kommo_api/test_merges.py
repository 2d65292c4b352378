"""Merges as the feed of events tells them, in whatever shape: every number that may be a deal is read."""

import pytest

from backend.kommo_api.merges import merge
from sandbox.kommo.doubts.deals import LEADS
from tests.kommo_api.conftest import Kommo


@pytest.mark.parametrize("shape", LEADS["merge_shape"][2])
async def test_both_deals_of_a_merge_are_read_in_every_shape(kommo: Kommo, shape: str) -> None:
    kept, gone = kommo.leads[:2]
    kommo.play(merge_shape=shape)
    kommo.world.person().merge_leads(kept.id, gone.id)
    kommo.world.person().add_note(kept.id, "Hello")
    assert [one.leads for one in await kommo.api.merges()] == [{kept.id, gone.id}]
    assert await kommo.api.merges(kommo.world.clock() + 10) == []


async def test_many_merges_are_read_page_by_page(kommo: Kommo) -> None:
    for number in range(120):
        kommo.world.account.record("entity_merged", 1000 + number, 0)
    assert len(await kommo.api.merges()) == 120


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (None, {5}),
        ([], {5}),
        ({"lead": {"id": 7}}, {5, 7}),
        ([{"merged": [{"id": "7"}, 8]}], {5, 7, 8}),
        ([{"user_id": 7, "pipeline": {"id": 8}, "contacts": [9], "is_main": True, "name": "Deal", "sum": 1.5}], {5}),
        ([{"id": -7}, {"id": 0}, {"id": 10**30}, {"id": "7a"}], {5}),
    ],
)
def test_what_can_not_be_a_deal_is_passed_over(values: object, named: set[int]) -> None:
    row = {"type": "entity_merged", "entity_id": 5, "entity_type": "lead", "created_at": 1, "value_after": values}
    assert merge(row).leads == named


def test_merged_contacts_are_no_merged_deals() -> None:
    assert merge({"entity_id": 5, "entity_type": "contact", "created_at": 1}).leads == frozenset()
