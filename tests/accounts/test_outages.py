"""Rights fail closed: every action, in every outage, for every letter, with a last word of Kommo's and without."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from backend.storage.models import Account, LastWord
from sandbox.clock import MovableClock
from sandbox.kommo.records import Lead, User
from tests.accounts.acting import EVERYTHING, Prepared, acted, prepared
from tests.world import World, open_world

FIVE_MINUTES, DAY = 300, 86400
ALL, NONE = dict.fromkeys(EVERYTHING, 403), dict.fromkeys(EVERYTHING, 409)
LAST_YES = {"view": 200, "create": 201, "cancel": 502, "check": 502, "refund": 502}
"""The last word counts for seeing and asking; what takes something away needs a yes that is told now."""
DISCONNECTED = {"view": 200, "create": 409, "cancel": 409, "check": 409, "refund": 409}
USERS_AWAY = ("500_json", "/api/v4/users/")
TROUBLES = {
    "users unknown": USERS_AWAY,
    "everything away": ("500_json", "/api/v4"),
    "answers lost": ("drop_after", "/api/v4"),
    "deal refused 400": ("400_try_again", "/api/v4/leads"),
    "deal refused 403": ("403_json", "/api/v4/leads"),
    "deal refused 422": ("422_json", "/api/v4/leads"),
    "asked to slow down": ("429_html", "/api/v4"),
    "users hidden": ("403_json", "/api/v4/users/"),
    "reconnect": None,
    "uninstalled": None,
}


@pytest.fixture
async def shop(sampled_url: str, anyio_backend: str) -> AsyncIterator[World]:
    async with open_world(sampled_url, clock=MovableClock(), worker=False) as shop:
        yield shop


async def rep(shop: World, view: str) -> User:
    user = shop.kommo.account.add_salesperson("Rep", "rep@shop.example")
    user.leads.view = view
    await shop.stored.set_options(refunds=[user.id])
    return user


def somebody_elses(shop: World) -> Lead:
    lead = shop.kommo.account.add_lead("Sofa", 10)
    lead.responsible_user_id = shop.kommo.account.admin.id
    return lead


async def forget(shop: World, deal: Prepared) -> None:
    """As if nobody had looked at the deal in the last day."""
    async with shop.resources.database.write() as session:
        await session.delete(await session.get_one(LastWord, (shop.kommo.account.id, "deal", deal.lead.id)))


async def begin(shop: World, trouble: str) -> None:
    shop.clock.advance(FIVE_MINUTES + 1)  # what a process remembers is over
    fault = TROUBLES[trouble]
    if fault is not None:
        shop.kommo.faults.add(fault[0], fault[1], times=0)
        return
    async with shop.resources.database.write() as session:
        (await session.get_one(Account, shop.kommo.account.id)).state = trouble


def expected(trouble: str, view: str, *, told_before: bool) -> dict[str, int]:
    """``view`` of a user to whom the deal does not belong."""
    is_deal = trouble.startswith("deal")
    if told_before and view in ("M", "D"):
        return ALL
    if TROUBLES[trouble] is None:
        return DISCONNECTED if told_before else NONE
    return ALL if is_deal and view == "D" else LAST_YES


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_kommo_does_not_tell_is_no_yes(shop: World, trouble: str) -> None:
    cases: list[tuple[str, bool, User, Prepared]] = []
    for view in ("A", "M", "D"):
        for told_before in (True, False):
            user, deal = await rep(shop, view), await prepared(shop, somebody_elses(shop))
            if told_before:
                await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=shop.token(user.id))
            else:
                await forget(shop, deal)
            cases.append((view, told_before, user, deal))
    users = [user.id for _, _, user, _ in cases]
    await shop.stored.set_options(refunds=users)
    await begin(shop, trouble)
    async with shop.another_web() as http:  # the last word is in the database, not in one process's memory
        for view, told_before, user, deal in cases:
            answers = await acted(shop, http, user, deal)
            found = {action: answer.status_code for action, answer in answers.items()}
            assert found == expected(trouble, view, told_before=told_before), (view, told_before)
            if found["view"] == 200:
                seen = answers["view"].json()
                is_whole = told_before or (trouble.startswith("deal") and view == "A")
                assert bool(seen["payments"]) == is_whole, (view, told_before)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(502, "everything away"), (502, "users hidden"), (409, "reconnect"), (409, "uninstalled"), (403, "deleted")],
)
async def test_what_is_of_no_single_deal_fails_closed_as_well(shop: World, status: int, trouble: str) -> None:
    """The rules of a pipeline, and links for several deals."""
    user = await rep(shop, "A")
    user.is_admin = True
    lead = somebody_elses(shop)
    calls = [("/widget/rules", {"settings": {}}), ("/widget/rules/change", {"key": "a" * 32, "settings": {}}),
             ("/widget/rules/look", {"key": "a" * 32}), ("/widget/lists/preview", {"lead_ids": [lead.id]}),
             ("/widget/lists", {"lead_ids": [lead.id], "run_id": str(uuid.uuid4())})]  # fmt: skip
    await shop.http.get(f"/widget/deals/{lead.id}", headers=shop.token(user.id))
    if trouble == "deleted":
        shop.clock.advance(FIVE_MINUTES + 1)
        del shop.kommo.account.users[user.id]
    else:
        await begin(shop, trouble)
    answers = {path: (await shop.rep.post(path, body, user_id=user.id)).status_code for path, body in calls}
    assert answers == dict.fromkeys(answers, status)


async def test_without_a_last_word_a_user_sees_what_they_made(shop: World) -> None:
    user, deal = await rep(shop, "A"), await prepared(shop, somebody_elses(shop))
    shop.kommo.faults.add("500_json", "/api/v4", times=0)
    mine = await shop.rep.post("/widget/requests", shop.rep.order(lead_id=deal.lead.id), user_id=user.id)
    assert mine.status_code == 201
    seen = (await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=shop.token(user.id))).json()
    assert [one["id"] for one in seen["requests"]] == [mine.json()["id"]]
    assert (seen["payments"], seen["paid"], seen["may"]["refund"], seen.get("statement_url")) == ([], [], True, None)


async def test_a_last_word_counts_for_a_day(shop: World) -> None:
    user, deal = await rep(shop, "A"), await prepared(shop, somebody_elses(shop))
    await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=shop.token(user.id))
    shop.kommo.faults.add("500_json", "/api/v4", times=0)
    shown = []
    for seconds in (DAY - 60, 120):
        shop.clock.advance(seconds)
        answer = await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=shop.token(user.id))
        shown.append(bool(answer.json()["payments"]))
    assert shown == [True, False]


async def test_a_user_who_was_deleted_in_kommo_is_told_no_and_leaves_no_last_word(shop: World) -> None:
    user, deal = await rep(shop, "A"), await prepared(shop, somebody_elses(shop))
    await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=shop.token(user.id))
    del shop.kommo.account.users[user.id]
    shop.clock.advance(FIVE_MINUTES + 1)
    headers = shop.token(shop.kommo.account.admin.id)
    answers = [await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=headers)]
    assert answers[0].status_code == 200
    words = [word for word in await shop.rows(LastWord) if (word.kind, word.id) == ("user", user.id)]
    assert len(words) == 1  # nobody asked for that user since


async def test_replacing_a_link_needs_the_right_to_cancel_the_older_one(shop: World) -> None:
    user, deal = await rep(shop, "A"), await prepared(shop, somebody_elses(shop))
    await shop.http.get(f"/widget/deals/{deal.lead.id}", headers=shop.token(user.id))
    await begin(shop, "everything away")
    order = shop.rep.order(lead_id=deal.lead.id, replaces=deal.open_request)
    assert (await shop.rep.post("/widget/requests", order, user_id=user.id)).status_code == 502


async def test_a_user_who_sees_no_deal_costs_no_call_for_one(shop: World) -> None:
    user, lead = await rep(shop, "D"), somebody_elses(shop)
    answer = await shop.http.get(f"/widget/deals/{lead.id}", headers=shop.token(user.id))
    assert answer.status_code == 403
    assert [one.path for one in shop.kommo.requests if one.path.endswith(f"/leads/{lead.id}")] == []


async def test_a_deal_that_is_not_there_is_asked_for_once_by_every_action(shop: World) -> None:
    for _ in range(3):
        assert (await shop.rep.ask(lead_id=999)).status_code == 404
        assert (await shop.http.get("/widget/deals/999", headers=shop.token())).status_code == 404
    assert len([one for one in shop.kommo.requests if one.path.endswith("/leads/999")]) == 1


async def test_a_user_who_calls_too_fast_is_told_to_wait_and_others_are_served(shop: World) -> None:
    user, path = await rep(shop, "A"), f"/widget/deals/{shop.first_deal.id}"
    answers = [await shop.http.get(path, headers=shop.token(user.id)) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [200] * 20
    many = await asyncio.gather(*(shop.http.get(path, headers=shop.token(user.id)) for _ in range(60)))
    slowed = [answer for answer in many if answer.status_code == 429]
    assert slowed
    assert (slowed[0].headers["retry-after"], slowed[0].json()["error"]["code"]) == ("1", "too_many_requests")
    assert (await shop.http.get(path, headers=shop.token())).status_code == 200
    shop.clock.advance(4)
    assert (await shop.http.get(path, headers=shop.token(user.id))).status_code == 200
