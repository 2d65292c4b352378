"""Decides what to write to one deal, in values: the difference between the wanted card and the current one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.accounts.options import options_of
from backend.deal_sync.desired.render import Note, StageGoal, Task, Wanted, render
from backend.deal_sync.desired.stages import DealNow, Decision, decide, is_incoming
from backend.deal_sync.desired.texts import texts
from backend.deal_sync.field_values import as_written, same, takes
from backend.deal_sync.stage_moves import intent_of
from backend.kommo_api.values import FieldValue, Lead
from backend.ledger.deal import DealLedger
from backend.storage.models import Account, CardWrite

IN_DOUBT = frozenset(("sent", "doubtful"))


@dataclass(frozen=True)
class Plan:
    """What to write to one deal.

    ``fields``: field id → value; ``move``: target (pipeline, status); ``stages``: decisions to record, at most one of
    them a move; ``moving``: what is stored about the move, to find out later whether it happened; ``healed``: tasks to
    close, with ``results`` by fact; ``more``: further notes follow with the next pass.
    """

    lead_id: int
    fields: dict[int, Any] = field(default_factory=dict)
    move: tuple[int, int] | None = None
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    stages: tuple[tuple[StageGoal, Decision], ...] = ()
    moving: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    tasks: tuple[Task, ...] = ()
    healed: tuple[CardWrite, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    incoming: bool = False
    more: bool = False

    @property
    def patches(self) -> bool:
        """True if the plan needs a PATCH: fields, a stage move or tags."""
        return bool(self.fields or self.move or self.tags_added or self.tags_removed)


def wanted_of(account: Account, ledger: DealLedger, link_base: str, ordered: tuple[Task, ...] = ()) -> Wanted:
    """The card that the deal should have by its ledger and the account's options.

    ``link_base``: public address of payment links. ``ordered``: tasks of the deal that other rooms ordered.
    """
    options = options_of(account)
    wanted = render(
        ledger,
        texts(options.note_language),
        link_base=link_base,
        test=is_test(ledger),
        stage_hours=options.stage_hours,
        timezone=account.timezone,
        tags=options.debt_tags,
    )
    return replace(wanted, tasks=(*wanted.tasks, *ordered)) if ordered else wanted


def is_test(ledger: DealLedger) -> bool:
    """True if the ledger is in test mode: payments have one mode, and without payments the links decide."""
    return not ledger.livemode


def plan(lead: Lead, wanted: Wanted, writes: Sequence[CardWrite], account: Account, *, test: bool) -> Plan:
    """The difference between ``lead`` in Kommo and ``wanted``.

    ``writes``: all rows of this deal in the outbox; whatever is in doubt stays untouched until it is settled. A deal in
    *Incoming leads* is left alone until money came, because any PATCH would accept it.
    """
    incoming = is_incoming(account.pipelines, lead.pipeline_id, lead.status_id)
    if incoming and not wanted.has_money:
        return Plan(lead.id)
    stages = tuple(_stages(lead, wanted, writes, account, test))
    moves = {goal.fact_id: decision.status_id for goal, decision in stages if decision.status_id is not None}
    beside = _beside_a_doubt(writes)
    differing = _differences(lead.fields, wanted.fields, account.fields, zone_of(account))
    fields = {field_id: value for field_id, value in differing if field_id not in beside}
    return Plan(
        lead.id,
        fields=fields,
        move=(lead.pipeline_id, next(iter(moves.values()))) if moves else None,
        tags_added=tuple(name for name, is_wanted in wanted.tags.items() if is_wanted and name not in lead.tags),
        tags_removed=tuple(name for name, is_wanted in wanted.tags.items() if not is_wanted and name in lead.tags),
        stages=stages,
        moving=_moving(lead, moves, fields, writes) if moves else {},
        notes=tuple(_missing_notes(wanted.notes, writes)),
        tasks=tuple(_missing_tasks(wanted.tasks, writes)),
        healed=tuple(_healed_tasks(wanted.tasks, writes)),
        results={task.fact_id: task.result for task in wanted.tasks if task.healed},
        incoming=incoming,
    )


def _stages(
    lead: Lead, wanted: Wanted, writes: Sequence[CardWrite], account: Account, test: bool
) -> Iterable[tuple[StageGoal, Decision]]:
    ours = [write for write in writes if write.kind == "stage"]
    if any(write.state in IN_DOUBT for write in ours):
        return
    known = {write.fact_id for write in ours if write.state != "intended"}
    agreed = _agreed(ours)
    now = DealNow(lead.pipeline_id, lead.status_id, lead.tags)
    for goal in wanted.stages:
        if goal.fact_id not in known:
            yield (
                goal,
                decide(
                    replace(goal, held="") if goal.fact_id in agreed else goal,
                    now,
                    rules=account.stages,
                    pipelines=account.pipelines,
                    last_written=last_move(ours),
                    test=test,
                ),
            )


def _agreed(writes: Iterable[CardWrite]) -> set[str]:
    """Facts whose offered move a person agreed to."""
    return {write.fact_id for write in writes if write.kind == "stage" and write.content.get("agreed")}


def _moving(lead: Lead, moves: Mapping[str, int], fields: Iterable[int], writes: Sequence[CardWrite]) -> dict[str, Any]:
    """The content of the move's row. ``moves``: fact → status. A person's agreement is kept in case this try fails."""
    agreed = {"agreed": True} if _agreed(writes) & moves.keys() else {}
    return intent_of(lead, next(iter(moves.values())), fields) | agreed


def last_move(writes: Iterable[CardWrite]) -> tuple[int, int] | None:
    """The (pipeline, status) of our last move of this deal, or None if we never moved it."""
    done = [write for write in writes if write.kind == "stage" and write.state == "done" and "to" in write.content]
    last = max(done, key=lambda write: write.sent_at, default=None)
    return (last.content["pipeline"], last.content["to"]) if last else None


def _beside_a_doubt(writes: Sequence[CardWrite]) -> set[int]:
    """Fields in the PATCH of a move in doubt. They stay untouched: their values will show whether it happened."""
    moves = (write for write in writes if write.kind == "stage" and write.state in IN_DOUBT)
    return {int(field_id) for move in moves for field_id in move.content.get("held", {})}


def _missing_notes(notes: Iterable[Note], writes: Sequence[CardWrite]) -> Iterable[Note]:
    known = _begun(writes, "note")
    return (note for note in notes if note.fact_id not in known)


def _missing_tasks(tasks: Iterable[Task], writes: Sequence[CardWrite]) -> Iterable[Task]:
    """Tasks to create. A matter that was resolved before its task existed needs none."""
    known = _begun(writes, "task")
    return (task for task in tasks if not task.healed and task.fact_id not in known)


def _healed_tasks(tasks: Iterable[Task], writes: Sequence[CardWrite]) -> Iterable[CardWrite]:
    healed = {task.fact_id for task in tasks if task.healed}
    ours = (write for write in writes if write.kind == "task" and write.state == "done" and write.kommo_id)
    return (write for write in ours if write.fact_id in healed and not write.content.get("closed"))


def _begun(writes: Sequence[CardWrite], kind: str) -> set[str]:
    """Facts whose write is done, dead or in doubt; an *intended* write certainly did not happen and is due again."""
    return {write.fact_id for write in writes if write.kind == kind and write.state != "intended"}


def _differences(
    there: Mapping[int, tuple[FieldValue, ...]],
    wanted: Mapping[str, str | int | None],
    fields: Mapping[str, Any],
    zone: ZoneInfo,
) -> Iterable[tuple[int, Any]]:
    for code, value in wanted.items():
        meta = fields.get(code)
        if meta is None or not takes(meta, value):  # a user removed it; set-up creates it again
            continue
        current = there.get(int(meta["id"]), ())
        if value is None:
            if current:
                yield int(meta["id"]), None
        elif not current or not same(meta, value, current[0], zone):
            yield int(meta["id"]), as_written(meta, value, zone)


def zone_of(account: Account) -> ZoneInfo:
    """The account's time zone, or UTC if this machine does not know the zone that Kommo names."""
    try:
        return ZoneInfo(account.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
