"""Runs over several deals: stored before the answer, carried out by the account's worker, visible from any page."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.options import options_of
from backend.accounts.permissions import WidgetUser
from backend.automation.lists.preview import OPEN, visible_leads
from backend.automation.rules.keys import RUN, digest_of
from backend.automation.rules.outcomes import ASKED, USED_AGAIN
from backend.core.errors import RuleNotFound
from backend.resources import Resources
from backend.storage.db import insert_missing
from backend.storage.models import PaymentRule, StageEntry
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_work


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's numbers of deals: in total, requested, not requested."""

    total: int
    asked: int
    not_asked: int

    @property
    def left(self) -> int:
        """Deals still to be processed."""
        return self.total - self.asked - self.not_asked


async def begin(
    resources: Resources, user: WidgetUser, run_id: str, lead_ids: Sequence[int], *, send: bool
) -> Progress:
    """Begin the run of this id, or return the progress of the one that was begun before.

    Each deal gets at most one request per run, however often it is begun. ``send``: the links go to the clients by the
    account's channels. Raises as ``visible_leads`` does.
    """
    leads = await visible_leads(resources, user, lead_ids)
    account_id, now = user.account.id, resources.clock()
    settings = OPEN.model_copy(update={"channels": list(options_of(user.account).send_channels) if send else []})
    rule = PaymentRule(
        account_id=account_id,
        id=_name(run_id),
        root_id=_name(run_id),
        key_digest=digest_of(f"{account_id}:{_name(run_id)}"),
        settings=settings.model_dump(),
        user_id=user.user_id,
        created_at=now,
        used_at=now,
    )
    async with account_unit(resources.database, account_id) as session:
        if await insert_missing(session, PaymentRule, [rule.model_dump()]):
            rows = [_entry(account_id, run_id, lead.id, now).model_dump() for lead in leads]
            await insert_missing(session, StageEntry, rows)
            await request_work(session, account_id)
        progress = await _progress(session, account_id, run_id)
    resources.work_arrived.set()
    return progress


async def progress_of(resources: Resources, user: WidgetUser, run_id: str) -> Progress:
    """Return the progress of the user's run. Raises ``RuleNotFound``."""
    async with resources.database.look() as session:
        rule = await session.get(PaymentRule, (user.account.id, _name(run_id)))
        if rule is None or rule.user_id != user.user_id:
            raise RuleNotFound("There is no such run.")
        return await _progress(session, user.account.id, run_id)


async def _progress(session: AsyncSession, account_id: int, run_id: str) -> Progress:
    mine = (StageEntry.account_id == account_id, StageEntry.rule_id == _name(run_id))
    found = (await session.exec(select(StageEntry.state, StageEntry.outcome).where(*mine))).all()
    done = Counter(outcome in (ASKED, USED_AGAIN) for state, outcome in found if state == "done")
    return Progress(len(found), done[True], done[False])


def _name(run_id: str) -> str:
    return f"{RUN}{run_id}"


def _entry(account_id: int, run_id: str, lead_id: int, now: float) -> StageEntry:
    identity = hashlib.sha256(f"{account_id}:{run_id}:{lead_id}".encode()).hexdigest()[:32]
    name = _name(run_id)
    return StageEntry(
        account_id=account_id, id=identity, lead_id=lead_id, rule_id=name, root_id=name, told_at=now, received_at=now
    )
