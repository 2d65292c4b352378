"""One sending at one moment, and what may come of a channel."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.automation.sendings.store import change
from backend.kommo_api.client import KommoApi
from backend.kommo_api.values import Lead
from backend.payments.find import Link
from backend.resources import Resources
from backend.storage.models import Account, Sending
from backend.work_queue.leases import Claim

LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Step:
    """``lead`` is the deal as Kommo told it a moment ago, ``link`` the request after the last look at Stripe."""

    resources: Resources
    claim: Claim
    account: Account
    row: Sending
    lead: Lead
    link: Link

    @property
    def public_url(self) -> str:
        return self.resources.addresses.public_url


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no: nothing was sent by this channel. ``why`` is a key of the words, ``detail`` Kommo's sentence."""

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing stands in the way but time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """``make`` asks Kommo once, and gives what is to be kept; ``values`` are kept before it."""

    make: Callable[[KommoApi], Awaitable[Mapping[str, Any]]]
    values: Mapping[str, Any] = field(default_factory=dict)


async def next_channel(resources: Resources, claim: Claim, row: Sending, refusal: Refusal) -> bool:
    """Go on to the channel after the first; after the last of them there is a task, and after that nothing."""
    tried, *left = row.channels or ["task"]
    was_task = tried == "task" or any(one["channel"] == "task" for one in row.refusals)
    said = {"channel": tried, "why": refusal.why, "detail": refusal.detail[:LONGEST_DETAIL]}
    is_over = not left and was_task
    return await change(
        resources,
        claim,
        row,
        channels=left or ([] if was_task else ["task"]),
        refusals=[*row.refusals, said],
        state="dropped" if is_over else "waiting",
        reason="nothing_worked" if is_over else "",
        detail=refusal.detail[:LONGEST_DETAIL] if is_over else "",
        due_at=None if is_over else resources.clock(),
        channel="",
        sent_at=0.0,
        reached_at=0.0,
    )
