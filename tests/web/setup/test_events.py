"""The pages of *Events*: found by id, what working in again would change, who changed what, and ending a session."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.admin.sessions import Visitor, begin
from backend.storage.models import Audit, InboxEvent, LedgerEntry, SetupSession
from backend.web.setup.topics import BY_NAME
from sandbox.clock import MovableClock
from tests.world import ADMIN_TOKEN, World, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def shop(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/events.db", clock=MovableClock()) as found:
        yield found


@pytest.fixture
async def visitor(shop: World) -> AsyncIterator[httpx.AsyncClient]:
    made = await shop.http.post(f"{shop.url}/widget/setup", headers=shop.token())
    async with httpx.AsyncClient(base_url=shop.url, timeout=30.0, follow_redirects=True, headers=OURS) as http:
        await http.post(made.json()["url"])
        yield http


async def test_an_event_is_found_by_its_id_and_its_preview_tells_what_is_new(
    shop: World, visitor: httpx.AsyncClient
) -> None:
    lead_id = await shop.paid_deal()
    events = await shop.rows(InboxEvent)
    told = next(one for one in events if one.type == "checkout.session.completed")
    page = (await visitor.get("/admin/events", params={"event": told.id})).text
    assert set(re.findall(r"/admin/events/of/(evt_\w+)", page)) == {told.id}
    preview = (await visitor.get(f"/admin/events/of/{told.id}")).text
    assert "Nothing: all that it says is known." in preview
    async with shop.resources.database.write() as session:
        for one in await shop.rows(LedgerEntry):
            if one.id.startswith("pi_"):
                row = await session.get_one(LedgerEntry, (one.connection_id, one.id))
                row.facts = {name: value for name, value in row.facts.items() if name not in ("received", "paid_at")}
                session.add(row)
    preview = (await visitor.get(f"/admin/events/of/{told.id}")).text
    assert f"(Deal {lead_id}): paid at, received" in preview
    kept = [one.facts for one in await shop.rows(LedgerEntry) if one.id.startswith("pi_")]
    assert all("received" not in facts for facts in kept)  # a preview keeps nothing
    done = await visitor.post(f"/admin/accounts/{shop.account.id}/again", data={"event_id": told.id})
    assert "The events are being processed again." in done.text
    await shop.quiet()
    kept = [one.facts for one in await shop.rows(LedgerEntry) if one.id.startswith("pi_")]
    assert all("received" in facts for facts in kept)
    assert (await visitor.get("/admin/events/of/evt_unknown")).status_code == 404


async def test_every_saved_setting_can_be_read_in_the_log(shop: World, visitor: httpx.AsyncClient) -> None:
    """Reminders are a list of objects, and stage rules an object of objects."""
    reminders = {"rules": [{"days": -3, "channel": "bot"}, {"days": 7, "channel": "task"}], "quiet_stages": [142]}
    rules = {str(shop.first_deal.pipeline_id): {"first": None, "paid": shop.first_deal.status_id}}
    choices = {"finance": [shop.account.admin.id], "send_channels": ["task"], "send_hours": [8, 20]}
    path = f"{shop.url}/admin/api/accounts/{shop.account.id}"
    for name, body in (("reminders", reminders), ("stages", rules), ("options", choices)):
        assert (await shop.http.put(f"{path}/{name}", json=body, headers=shop.admin)).status_code == 200
    for page in ("/admin/events/log", "/admin/events"):
        answer = await visitor.get(page)
        assert answer.status_code == 200
        assert "days -3 channel bot, days 7 channel task" in answer.text
        assert shop.account.admin.name in answer.text
    for topic in BY_NAME.values():
        assert (await visitor.get(f"/admin/{topic.page}/{topic.name}")).status_code == 200, topic.name


async def test_events_page_by_their_time_and_by_their_state(shop: World, visitor: httpx.AsyncClient) -> None:
    async with shop.resources.database.write() as session:
        connection = (await visitor.get("/admin/api/accounts")).json()[0]["stripe"][0]["id"]
        for number in range(120):
            session.add(
                InboxEvent(connection_id=connection, id=f"evt_{number:03}", type="x", received_at=float(number // 2),
                           state="dead" if number % 40 == 0 else "done")
            )  # fmt: skip
    seen: list[str] = []
    address = "/admin/events"
    while address:
        page = (await visitor.get(address)).text
        seen += re.findall(r'/admin/events/of/(evt_\w+)"', page)
        found = re.search(r'href="(/admin/events\?[^"]*after=[^"]+)"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == sorted((f"evt_{number:03}" for number in range(120)), reverse=True)
    dead = (await visitor.get("/admin/events", params={"state": "dead"})).text
    assert re.findall(r'/admin/events/of/(evt_\w+)"', dead) == ["evt_080", "evt_040", "evt_000"]
    assert "Process all given-up events again" in dead


async def test_an_administrator_sees_who_is_signed_in_and_ends_a_session(
    shop: World, visitor: httpx.AsyncClient
) -> None:
    sam = next(user for user in shop.account.users.values() if not user.is_admin)
    sam.is_admin = True
    cookie = await begin(shop.resources, Visitor(shop.account.id, sam.id), ADMIN_TOKEN)
    await begin(shop.resources, Visitor(shop.account.id + 1, 5), ADMIN_TOKEN)
    page = (await visitor.get("/admin/events/sessions")).text
    assert "Sam Sales" in page
    keys = re.findall(r'name="session" value="(\w+)"', page)
    assert len(keys) == 2
    theirs = page.partition("Sam Sales")[2].partition('name="session" value="')[2].partition('"')[0]
    path = f"/admin/accounts/{shop.account.id}/sessions/end"
    assert "The session is ended." in (await visitor.post(path, data={"session": theirs})).text
    signed_out = await shop.http.get(f"{shop.url}/admin", headers={"Cookie": f"kommo_stripe_setup={cookie}"})
    assert "Admin token" in signed_out.text
    assert {row.account_id for row in await shop.rows(SetupSession)} == {shop.account.id, shop.account.id + 1}
    again = await visitor.post(path, data={"session": theirs})
    assert (again.status_code, "over already" in again.text) == (409, True)
    others = next(row.digest[:16] for row in await shop.rows(SetupSession) if row.account_id != shop.account.id)
    assert (await visitor.post(path, data={"session": others})).status_code == 409
    log = (await visitor.get("/admin/events/log")).text
    assert "session ended" in log
    assert [row.after for row in await shop.rows(Audit) if row.what == "session ended"] == [{"user": sam.id}]
