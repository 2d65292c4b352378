"""One sending at one moment, and the possible results of a channel."""

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
    """A sending.

    ``lead``: the deal as Kommo returned it just now; ``link``: the request after the last check with Stripe.
    """

    resources: Resources
    claim: Claim
    account: Account
    row: Sending
    lead: Lead
    link: Link

    @property
    def public_url(self) -> str:
        """The server's public address."""
        return self.resources.addresses.public_url


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite refusal: this channel sent nothing. ``why``: a key of the texts; ``detail``: Kommo's sentence."""

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """The channel can be tried later; there is no other obstacle."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """``make`` calls Kommo once and returns the values to store after it; ``values`` are stored before it."""

    make: Callable[[KommoApi], Awaitable[Mapping[str, Any]]]
    values: Mapping[str, Any] = field(default_factory=dict)


async def next_channel(resources: Resources, claim: Claim, row: Sending, refusal: Refusal) -> bool:
    """Go on to the channel after the refused one; after the last there is a task, and after that nothing."""
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
