"""Notes: posted once, found again."""

import pytest

from backend.kommo_api.errors import KommoRefused, KommoUnavailable
from tests.kommo_api.conftest import Kommo, note
from tests.kommo_api.fixed_answer import api, saying


async def test_notes_are_told_apart_by_our_request_id(kommo: Kommo) -> None:
    first, second = kommo.leads[0].id, kommo.leads[1].id
    made = await kommo.api.post_notes([note(first, "a", "x"), note(second, "b", "y"), note(first, "c", "z")])
    assert {key: kommo.account.notes[note_id].text for key, note_id in made.items()} == {"x": "a", "y": "b", "z": "c"}


async def test_a_note_is_a_service_message_that_starts_no_bot(kommo: Kommo) -> None:
    await kommo.api.post_notes([note(kommo.lead.id)])
    posted = kommo.account.notes_of(kommo.lead.id)[0]
    assert (posted.note_type, posted.params["service"]) == ("extended_service_message", "Stripe payments")
    assert kommo.account.bot_starts == []


@pytest.mark.parametrize("shape", ["validation_errors", "keyed_by_lead", "silent"])
async def test_an_account_that_refuses_the_type_gets_a_common_note(kommo: Kommo, shape: str) -> None:
    kommo.play(extended_service_message="refused", bad_request=shape)
    made = await kommo.api.post_notes([note(kommo.lead.id)])
    assert [kommo.account.notes[one].note_type for one in made.values()] == ["common"]


async def test_a_note_to_a_deleted_lead_is_refused_at_once(kommo: Kommo) -> None:
    kommo.lead.is_deleted = True
    with pytest.raises(KommoRefused, match="226"):
        await kommo.api.post_notes([note(kommo.lead.id)])
    assert kommo.asked("POST") == 1


async def test_a_note_to_an_unknown_lead_names_the_lead(kommo: Kommo) -> None:
    with pytest.raises(KommoRefused) as caught:
        await kommo.api.post_notes([note(1)])
    assert (caught.value.paths, kommo.asked("POST")) == ({"entity_id"}, 1)


async def test_without_our_request_id_in_the_answer_the_lead_tells() -> None:
    answer = {"_embedded": {"notes": [{"id": 91, "entity_id": 8}, {"id": 92, "entity_id": 7, "request_id": "1"}]}}
    assert await api(saying(200, answer)).post_notes([note(7), note(8)]) == {"r8": 91, "r7": 92}


async def test_an_answer_that_mixes_up_the_notes_is_a_doubt() -> None:
    answer = {"_embedded": {"notes": [{"id": 91}, {"id": 92}]}}
    with pytest.raises(KommoUnavailable) as caught:
        await api(saying(200, answer)).post_notes([note(7), note(8)])
    assert caught.value.doubtful


async def test_notes_of_leads_are_all_their_notes_and_no_others(kommo: Kommo) -> None:
    first, second, third = (lead.id for lead in kommo.leads[:3])
    await kommo.api.post_notes([note(first, "a", "1"), note(second, "b", "2"), note(third, "c", "3")])
    assert [(one.lead_id, one.text) for one in await kommo.api.notes_of([first, second])] == [
        (first, "a"),
        (second, "b"),
    ]


async def test_a_busy_deal_is_read_to_its_last_page(kommo: Kommo) -> None:
    for start in (0, 250, 500):
        await kommo.api.post_notes([note(kommo.lead.id, f"{n}", f"{n}") for n in range(start, start + 250)])
    found = await kommo.api.notes_of([kommo.lead.id])
    assert [one.text for one in found] == [str(number) for number in range(750)]


async def test_notes_from_a_moment_on(kommo: Kommo) -> None:
    await kommo.api.post_notes([note(kommo.lead.id, "old")])
    kommo.world.clock.advance(100)  # type: ignore[attr-defined]
    since = kommo.world.clock()
    await kommo.api.post_notes([note(kommo.lead.id, "new")])
    assert [one.text for one in await kommo.api.notes_of([kommo.lead.id], since=since)] == ["new"]


async def test_a_deal_without_notes_has_none(kommo: Kommo) -> None:
    assert await kommo.api.notes_of([kommo.lead.id]) == []


async def test_notes_of_strange_leads_are_not_believed() -> None:
    everything = {"_embedded": {"notes": [{"id": 1, "entity_id": 5, "params": {"text": "pi_1"}}]}}
    with pytest.raises(KommoUnavailable):
        await api(saying(200, everything)).notes_of([6])
