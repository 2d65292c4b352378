"""Settles doubtful writes after a crash or a lost answer: wait, read back, and only then decide whether they
happened."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from backend.accounts.tokens.call import with_kommo
from backend.core.clock import SKEW_SECONDS
from backend.core.sentences.said import said
from backend.deal_sync.plan import IN_DOUBT
from backend.deal_sync.readable import same_letters, shows_notes, shows_tasks
from backend.deal_sync.revisions import Page, Recheck
from backend.deal_sync.stage_moves import settled
from backend.kommo_api.values import KommoTask, Lead
from backend.resources import Resources
from backend.storage.models import CardWrite
from backend.work_queue.leases import Claim, fence

MOST_TRIES = 2
MOST_DEATHS = 6
"""Tries of a note or task if a process ended while it was being sent, and Kommo shows those that it has."""
UNSEEN = said("write_never_seen")
DIED = said("died_while_sent")


async def resolve_doubtful(
    resources: Resources, claim: Claim, page: Page, leads: Mapping[int, Lead], read_at: float
) -> dict[int, Recheck]:
    """Settle the due doubtful writes of the page in place; returns a recheck for each deal that must wait longer.

    An abandoned request may still be carried out within ``settle_seconds``; after that a missing effect never happened.
    So a write is due if it was due when ``leads`` were read, at ``read_at``. A write found *sent* now was left by a
    process that died; from here on *sent* means our own writes. Raises ``KommoError``, ``NotConnected`` and
    ``LeaseLost``.
    """
    waiting: dict[int, float] = {}
    due: list[CardWrite] = []
    left: list[CardWrite] = []
    for write in page.in_doubt():
        if write.kind == "deal":  # a renewal's deal: settled in renewal_deals
            continue
        if write.state == "sent":
            write.error = DIED
        was_ahead = write.sent_at > read_at + SKEW_SECONDS
        if was_ahead:  # the clock was set back since, so the real time of sending is unknown
            write.sent_at = read_at
        due_at = write.sent_at + resources.settle_seconds
        is_due, lead = due_at <= read_at, leads.get(write.lead_id)
        if is_due or (write.kind == "stage" and lead and settled(write, lead, is_due=False)):
            due.append(write)
        else:
            waiting[write.lead_id] = max(due_at, waiting.get(write.lead_id, 0.0))
            left += [write] if was_ahead or write.state == "sent" else []
    await _judge(resources, claim, [write for write in due if write.lead_id in leads], leads)
    for write in left:
        write.state = "doubtful"
    await _save(resources, claim, due + left)
    return {lead_id: Recheck(at) for lead_id, at in waiting.items()}


async def _judge(resources: Resources, claim: Claim, due: Sequence[CardWrite], leads: Mapping[int, Lead]) -> None:
    """Read the notes and tasks of these writes back, and settle each of them by what Kommo shows."""
    found = await _found(resources, claim, [write for write in due if write.kind == "note"])
    tasks = await _tasks(resources, claim, [write for write in due if write.kind == "task"])
    for write in due:
        if write.kind == "task":
            write.kommo_id = _task_of(write, tasks)
    absent = [one for one in due if _is_absent(one, found)]
    most = await _most_tries(resources, claim, absent)
    for write in due:
        if write.kind not in most:
            if write.state in IN_DOUBT:
                settled(write, leads[write.lead_id], is_due=True)
        elif _is_absent(write, found):
            try_again(write, most[write.kind] if write.error == DIED else MOST_TRIES)
        else:
            write.state, write.error = "done", ""


def _is_absent(write: CardWrite, texts: Mapping[int, str]) -> bool:
    """True for a note that is not among the ``texts``, and for a task that was not found."""
    return (write.kind == "note" and not _is_in(texts, write)) or (write.kind == "task" and write.kommo_id is None)


def _is_in(texts: Mapping[int, str], write: CardWrite) -> bool:
    return write.content["marker"] in texts.get(write.lead_id, "")


async def _most_tries(resources: Resources, claim: Claim, absent: Collection[CardWrite]) -> Mapping[str, int]:
    """How often a write of each kind is sent that a dead process left. Kommo is asked only where it matters: before the
    last try.

    A process that is killed again and again marks a whole batch as sent each time, mostly before Kommo heard of it.
    """
    last = {one.kind for one in absent if one.error == DIED and one.attempts + 1 >= MOST_TRIES}
    return {
        kind: MOST_DEATHS if kind in last and await shows(resources, claim) else MOST_TRIES
        for kind, shows in (("note", shows_notes), ("task", shows_tasks))
    }


def try_again(write: CardWrite, most: int = MOST_TRIES) -> None:
    """Make a create due once more after Kommo did not show it; after ``most`` times mark it *dead*.

    A dead write is a problem for people to see. Without this limit a create that cannot be read back would repeat at
    each pass.
    """
    write.attempts += 1
    write.state = "intended" if write.attempts < most else "dead"
    write.error = "" if write.state == "intended" else UNSEEN


async def _found(resources: Resources, claim: Claim, notes: list[CardWrite]) -> dict[int, str]:
    """The texts of all notes of these deals, by deal: every page, because a busy deal has more than one."""
    if not notes:
        return {}
    leads = sorted({write.lead_id for write in notes})
    texts: dict[int, str] = {}
    for note in await with_kommo(resources, claim.account_id, lambda api: api.notes_of(leads)):
        texts[note.lead_id] = f"{texts.get(note.lead_id, '')}\n{note.text}"
    return texts


async def _tasks(resources: Resources, claim: Claim, writes: list[CardWrite]) -> list[KommoTask]:
    """All tasks of the deals whose tasks are in doubt."""
    leads = sorted({write.lead_id for write in writes})
    return await with_kommo(resources, claim.account_id, lambda api: api.tasks_of(leads)) if leads else []


def _task_of(write: CardWrite, tasks: Iterable[KommoTask]) -> int | None:
    mine = (task for task in tasks if task.lead_id == write.lead_id)
    return next((task.id for task in mine if same_letters(write.content["text"], task.text)), None)


async def _save(resources: Resources, claim: Claim, settled: list[CardWrite]) -> None:
    if not settled:
        return
    now = resources.clock()
    async with resources.database.write() as session:
        await fence(session, claim, now)
        for write in settled:
            write.epoch = claim.epoch
            await session.merge(write)
