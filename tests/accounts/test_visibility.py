"""Every letter with every stage right: what a user may do with the own, the group's and another's deal."""

from collections.abc import AsyncIterator

import pytest

from sandbox.clock import MovableClock
from sandbox.kommo.records import Lead, StageRights, User
from tests.accounts.acting import EVERYTHING, acted, prepared
from tests.world import World, open_world

EVERY, GROUP, OWN, NONE = (True, True, True), (True, True, False), (True, False, False), (False, False, False)
TABLE = {
    ("A", None): EVERY, ("A", "A"): EVERY, ("A", "D"): NONE,
    ("G", None): GROUP, ("G", "A"): EVERY, ("G", "D"): NONE,
    ("M", None): OWN,   ("M", "A"): EVERY, ("M", "D"): NONE,
    ("D", None): NONE,  ("D", "A"): EVERY, ("D", "D"): NONE,
}  # fmt: skip
"""(general letter, the stage's letter) → whether the own, the group's and another's deal may be seen."""
OTHER_GROUP = 8


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('visible')}/shop.db"
    async with open_world(url, clock=MovableClock(), worker=False) as shop:
        yield shop


def rep(shop: World, view: str, stage: str | None, group: int) -> User:
    user = shop.kommo.account.add_salesperson("Rep", "rep@shop.example")
    user.leads.view, user.group_id = view, group
    if stage is not None:
        user.status_rights = [StageRights(shop.first_deal.pipeline_id, shop.first_deal.status_id, view=stage)]
    return user


def deals(shop: World, user: User) -> list[Lead]:
    """The user's own deal in another group, another's in the user's group, another's in another group."""
    made = [shop.kommo.account.add_lead(name, 10) for name in ("Own", "Group", "Other")]
    for lead, whose, group in zip(made, (user.id, 1, 1), (OTHER_GROUP, user.group_id, OTHER_GROUP), strict=True):
        lead.responsible_user_id, lead.group_id = whose, group
        lead.pipeline_id, lead.status_id = shop.first_deal.pipeline_id, shop.first_deal.status_id
    return made


async def shown_by_kommo(shop: World, user: User, lead: Lead) -> bool:
    pair = shop.kommo.issue_pair(shop.integration.client_id, user.id)
    headers = {"Authorization": f"Bearer {pair.access}"}
    answer = await shop.http.get(f"{shop.kommo.base_url}/api/v4/leads/{lead.id}", headers=headers)
    return answer.status_code == 200


@pytest.mark.parametrize("group", [0, 7], ids=["default group", "another group"])
@pytest.mark.parametrize(("view", "stage"), TABLE)
async def test_a_user_may_see_and_do_what_kommos_letters_say(
    shared: World, view: str, stage: str | None, group: int
) -> None:
    user = rep(shared, view, stage, group)
    await shared.stored.set_options(refunds=[user.id])
    made = deals(shared, user)
    expected = TABLE[view, stage]
    for lead, may in zip(made, expected, strict=True):
        answers = await acted(shared, shared.http, user, await prepared(shared, lead))
        assert all(answer.status_code in (200, 201, 202, 403) for answer in answers.values()), answers
        assert {action: answer.status_code != 403 for action, answer in answers.items()} == dict.fromkeys(
            EVERYTHING, may
        )
    assert tuple([await shown_by_kommo(shared, user, lead) for lead in made]) == expected


async def test_a_right_on_another_stage_changes_nothing(shared: World) -> None:
    user = rep(shared, "A", None, 0)
    user.status_rights = [StageRights(shared.first_deal.pipeline_id, shared.first_deal.status_id + 1, view="D")]
    lead = deals(shared, user)[2]
    await shared.stored.set_options(refunds=[user.id])
    answers = await acted(shared, shared.http, user, await prepared(shared, lead))
    assert {answer.status_code < 300 for answer in answers.values()} == {True}


async def test_in_the_other_reading_the_default_group_is_none(shared: World) -> None:
    """The local Kommo plays both; we show what the reading that we believe shows."""
    user = rep(shared, "G", None, 0)
    _, in_group, _ = deals(shared, user)
    shared.kommo.switches.set("null_group", "none")
    shown = await shown_by_kommo(shared, user, in_group)
    shared.kommo.switches.set("null_group", "zero")
    assert (shown, await shown_by_kommo(shared, user, in_group)) == (False, True)
