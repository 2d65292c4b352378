"""Kommo's last answer about a user or a deal, stored with its age; it counts while Kommo does not answer."""

from typing import Any

from sqlalchemy import delete
from sqlmodel import col

from backend.core.cache import CacheSpec
from backend.kommo_api.values import Lead, User
from backend.resources import Resources
from backend.storage.db import dialect_insert
from backend.storage.models import LastWord

LAST_WORD_SECONDS = 24 * 3600.0
"""How long a last answer counts."""
KEPT = CacheSpec[tuple[int, str, int], str](600.0, most=20_000)
"""By account, kind and id: an unchanged answer is stored again only after ten minutes."""
PRUNED = CacheSpec[int, bool](3600.0, most=10_000)
"""By account: old answers are deleted once an hour."""


async def keep_user(resources: Resources, account_id: int, user_id: int, user: User | None) -> None:
    """Store the user's rights; None deletes the stored ones."""
    await _keep(resources, (account_id, "user", user_id), _of_user(user) if user else None)


async def keep_deal(resources: Resources, account_id: int, lead_id: int, lead: Lead | None) -> None:
    """Store the deal's stage, responsible user and group; None deletes the stored ones."""
    await _keep(resources, (account_id, "deal", lead_id), _of_deal(lead) if lead else None)


async def last_user(resources: Resources, account_id: int, user_id: int) -> User | None:
    """The user with the rights that Kommo sent within the last day, without name and e-mail; None if there are none."""
    said = await _said(resources, (account_id, "user", user_id))
    if said is None:
        return None
    stages = {(pipeline, status): letter for pipeline, status, letter in said["stage_view"]}
    return User(id=user_id, name="", email="", lang="", **(said | {"stage_view": stages}))


async def last_deal(resources: Resources, account_id: int, lead_id: int) -> Lead | None:
    """The deal with the stage and owner that Kommo sent within the last day, other values empty; None if there are
    none."""
    said = await _said(resources, (account_id, "deal", lead_id))
    return Lead(id=lead_id, name="", price=0, updated_at=0, updated_by=0, **said) if said is not None else None


def _of_user(user: User) -> dict[str, Any]:
    names = ("is_admin", "is_active", "group_id", "leads_view", "leads_edit")
    stages = [[*stage, letter] for stage, letter in sorted(user.stage_view.items())]
    return {name: getattr(user, name) for name in names} | {"stage_view": stages}


def _of_deal(lead: Lead) -> dict[str, Any]:
    return {name: getattr(lead, name) for name in ("pipeline_id", "status_id", "responsible_user_id", "group_id")}


async def _keep(resources: Resources, key: tuple[int, str, int], said: dict[str, Any] | None) -> None:
    kept = resources.caches[KEPT]
    if kept.get(key) == repr(said):
        return
    account_id, kind, number = key
    now = resources.clock()
    its = (col(LastWord.account_id) == account_id, col(LastWord.kind) == kind, col(LastWord.id) == number)
    old = (col(LastWord.account_id) == account_id, col(LastWord.told_at) < now - LAST_WORD_SECONDS)
    async with resources.database.write() as session:
        if said is None:
            await session.exec(delete(LastWord).where(*its))
        else:
            row = {"said": said, "told_at": now}
            insert = dialect_insert(session, LastWord).values(account_id=account_id, kind=kind, id=number, **row)
            await session.exec(insert.on_conflict_do_update(index_elements=["account_id", "kind", "id"], set_=row))
        if account_id not in resources.caches[PRUNED]:
            await session.exec(delete(LastWord).where(*old))
    resources.caches[PRUNED].put(account_id, True)
    kept.put(key, repr(said))


async def _said(resources: Resources, key: tuple[int, str, int]) -> dict[str, Any] | None:
    async with resources.database.look() as session:
        row = await session.get(LastWord, key)
    return row.said if row is not None and row.told_at + LAST_WORD_SECONDS > resources.clock() else None
