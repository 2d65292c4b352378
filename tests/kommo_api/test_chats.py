"""Bots, talks and messages through our client."""

import pytest

from backend.kommo_api.chats.values import message
from backend.kommo_api.errors import KommoForbidden, KommoNotFound, KommoRefused, KommoUnavailable, KommoUnpaid
from sandbox.kommo.accounts.chat_acts import add_bot, client_writes, open_talk
from tests.kommo_api.conftest import Kommo
from tests.kommo_api.fixed_answer import Answer, api, saying

pytestmark = pytest.mark.anyio


def _row(talk_id: int, lead_id: int | None, **more: object) -> dict[str, object]:
    kind = "lead" if lead_id else None
    return {"talk_id": talk_id, "entity_id": lead_id, "entity_type": kind, "status": "in_work"} | more


async def test_talks_that_nobody_asked_for_are_left_out() -> None:
    """As where Kommo passes over the filter: other deals', a customer's of the same number, closed ones."""
    rows = [_row(4, 2), _row(3, 1), _row(2, 1, entity_type="customer"), _row(1, 1, status="closed"), _row(0, None)]
    said = saying(200, {"_embedded": {"talks": rows}})
    assert [talk.id for talk in await api(said).chats.talks_of(1)] == [3]


@pytest.mark.parametrize("answer", [saying(200, ""), saying(200, {}), saying(204)])
async def test_only_a_202_says_that_a_bot_was_queued(answer: Answer) -> None:
    with pytest.raises(KommoUnavailable) as raised:
        await api(answer).chats.run_bot(1, 2)
    assert raised.value.doubtful


async def test_a_bot_is_listed_and_run(kommo: Kommo) -> None:
    made = add_bot(kommo.account, "Ask", "Hello")
    client_writes(kommo.account, kommo.lead.id, "Hi")
    assert [(bot.id, bot.name, bot.active) for bot in await kommo.api.chats.bots()] == [(made.id, "Ask", True)]
    await kommo.api.chats.run_bot(made.id, kommo.lead.id)
    assert [one.text for one in kommo.account.chats.messages] == ["Hi", "Hello"]
    with pytest.raises(KommoNotFound):
        await kommo.api.chats.run_bot(made.id + 1, kommo.lead.id)


async def test_a_message_is_sent_and_read_back(kommo: Kommo) -> None:
    client_writes(kommo.account, kommo.lead.id, "Hi")
    talk = open_talk(kommo.account, kommo.lead.id)
    assert talk is not None
    with pytest.raises(KommoForbidden):
        await kommo.api.chats.send_message(talk.talk_id, "Hello")
    kommo.world.switches.set("chat_scopes", "present")
    sent = await kommo.api.chats.send_message(talk.talk_id, "Hello")
    newest = (await kommo.api.chats.messages_of(talk.talk_id, 0.0))[0]
    assert (newest.id, newest.incoming, newest.text, newest.delivery) == (sent, False, "Hello", "sent")
    kommo.account.chats.quota = 0
    with pytest.raises(KommoUnpaid):
        await kommo.api.chats.send_message(talk.talk_id, "Hello")
    kommo.account.chats.quota, talk.status = 5, "closed"
    with pytest.raises(KommoRefused, match="closed"):
        await kommo.api.chats.send_message(talk.talk_id, "Hello")


@pytest.mark.parametrize(
    ("said", "delivery", "reason"),
    [
        ("delivered", "delivered", ""), ("READ", "read", ""), ("seen", "read", ""), ("error", "failed", ""),
        (None, "", ""), ("pigeon", "", ""), (3, "", ""), ([], "", ""),
        ({"status": "error", "error": "no number"}, "failed", "no number"),
    ],
)  # fmt: skip
def test_what_kommo_says_of_a_delivery_is_read_in_each_shape(said: object, delivery: str, reason: str) -> None:
    read = message({"id": "1", "type": "outgoing", "delivery_status": said})
    assert (read.delivery, read.reason) == (delivery, reason)
