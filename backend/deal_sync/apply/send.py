"""Sends a batch although Kommo refuses a whole request for one bad item: the good items go on without it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from backend.core.errors import NotConnected
from backend.core.telemetry.lines import milliseconds, note
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoRefused

Item = TypeVar("Item")
Answer = TypeVar("Answer")

FORBIDDEN_ENOUGH = 3
"""If this many items are forbidden one by one and none is allowed, the token lacks the right, not the items."""


@dataclass
class Outcome(Generic[Answer]):
    """The results by key; each item is in one of the first four.

    ``doubtful``: the request may have taken effect. ``unsent``: it certainly did not, because of ``error``, which
    concerns all items. ``mended``: the refused part that had to be left out. ``left_out``: sent at least once in a
    request whose success omitted them, so they may have taken effect whatever came later.
    """

    done: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, KommoError] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    unsent: set[str] = field(default_factory=set)
    mended: dict[str, KommoRefused] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    error: KommoError | NotConnected | None = None


def may_have_happened(error: KommoError | NotConnected) -> bool:
    """True if the write may have reached Kommo. ``NotConnected`` never did: there was no valid token."""
    return isinstance(error, KommoError) and error.doubtful


def _nothing_to_leave_out(_item: object, _refusal: KommoRefused) -> None:
    return None


async def send(
    items: Mapping[str, Item],
    call: Callable[[Mapping[str, Item]], Awaitable[Mapping[str, Answer]]],
    mend: Callable[[Item, KommoRefused], Item | None] = _nothing_to_leave_out,
    *,
    is_repeatable: bool,
) -> Outcome[Answer]:
    """Send all items, and after a refusal again without the named ones, or in halves until the bad one is alone.

    ``mend``: the item without its refused part, or None if nothing can be left out. If an answer omits an item (Kommo's
    partial reading, docs/facts/kommo-api.md 6), the item is sent alone if a repetition is harmless (``is_repeatable``),
    and is doubtful otherwise. Other errors end the sending and are in ``Outcome.error``, not raised.
    """
    outcome: Outcome[Answer] = Outcome()
    waiting = [dict(items)] if items else []
    while waiting:
        batch = waiting.pop()
        try:
            answered = await call(batch)
        except KommoRefused as refusal:
            waiting += _without_refused(outcome, batch, refusal, mend)
        except KommoForbidden as error:
            waiting += _halves(batch) if len(batch) > 1 else _forbidden(outcome, batch, error)
        except (KommoError, NotConnected) as error:
            (outcome.doubtful if may_have_happened(error) else outcome.unsent).update(batch)
            outcome.error = error
        else:
            outcome.done |= {key: answer for key, answer in answered.items() if key in batch}
            left_out = batch.keys() - answered.keys()
            outcome.left_out |= left_out
            if is_repeatable:
                waiting += _alone(outcome, batch, left_out)
            else:
                outcome.doubtful |= left_out
        if outcome.error is not None:
            outcome.unsent |= {key for batch in waiting for key in batch}
            break
    return outcome


def note_outcome(account_id: int, what: str, outcome: Outcome[Answer], seconds: float) -> None:
    """Log one line per deal that was written or refused; ``seconds`` is the duration of the request."""
    for key in outcome.done:
        note("deal written", account=account_id, deal=int(key), what=what, ms=milliseconds(seconds))
    for key, refusal in outcome.refused.items():
        note("deal write refused", account=account_id, deal=int(key), what=what, reason=type(refusal).__name__)


def _without_refused(
    outcome: Outcome[Answer],
    batch: dict[str, Item],
    refusal: KommoRefused,
    mend: Callable[[Item, KommoRefused], Item | None],
) -> list[dict[str, Item]]:
    """What to send next. Items that the refusal names are mended or refused without another call."""
    named = {key: refusal.of(key) for key in batch if refusal.names(key)}
    if not named and len(batch) > 1:
        return _halves(batch)
    rest = dict(batch)
    for key, its_own in named.items() or ((key, refusal) for key in batch):
        mended = mend(rest.pop(key), its_own)
        if mended is None:
            outcome.refused[key] = its_own
        else:
            rest[key], outcome.mended[key] = mended, its_own.beside(outcome.mended.get(key))
    return [rest] if rest else []


def _halves(batch: dict[str, Item]) -> list[dict[str, Item]]:
    keys = sorted(batch)
    middle = len(keys) // 2
    return [_only(batch, keys[:middle]), _only(batch, keys[middle:])]


def _only(batch: dict[str, Item], keys: Iterable[str]) -> dict[str, Item]:
    return {key: batch[key] for key in keys}


def _forbidden(outcome: Outcome[Answer], batch: dict[str, Item], error: KommoForbidden) -> list[dict[str, Item]]:
    outcome.refused |= dict.fromkeys(batch, error)
    forbidden = [key for key, refusal in outcome.refused.items() if isinstance(refusal, KommoForbidden)]
    if len(forbidden) >= FORBIDDEN_ENOUGH and not outcome.done:
        outcome.unsent |= {key for key in forbidden if outcome.refused.pop(key)}
        outcome.error = error
    return []


def _alone(outcome: Outcome[Answer], batch: dict[str, Item], left_out: Set[str]) -> list[dict[str, Item]]:
    rest = sorted(left_out)
    if rest and len(batch) == 1:
        outcome.refused[rest[0]] = KommoRefused("Kommo did not confirm it", by_request={}, by_lead={})
        return []
    return [_only(batch, [key]) for key in rest]
