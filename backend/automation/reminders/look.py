"""The last check before a step: at Stripe, in the deal, and in the client's chat.

If something can't be read, the step waits: a reminder to a client who has paid costs more trust than one that comes an
hour late.
"""

from dataclasses import dataclass

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.automation.reminders.replies import has_replied
from backend.automation.reminders.schedule import Step
from backend.automation.reminders.settings import Chasing
from backend.core.errors import NotConnected
from backend.deal_sync.desired.stages import LOST, TEST_TAG, WON
from backend.kommo_api.values import Lead
from backend.ledger.deal import DealLedger
from backend.payments.checkout.open import PAYABLE, ask_again
from backend.payments.find import Link, find_request
from backend.resources import Resources
from backend.storage.models import Account
from backend.stripe_api.client import Refused, Unreachable

NO_REMINDERS = "no-reminders"
"""A tag with which users switch reminders off for a deal."""
SOON_SECONDS = 300.0
HOUR_SECONDS = 3600.0
LATER_SECONDS = 6 * 3600.0
OWED = (*PAYABLE, "expired")
"""States in which money is owed: an ended link does not end the debt."""


@dataclass(frozen=True, slots=True)
class Send:
    """Verdict: do the step."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Verdict: unknown at present, check again later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Skip:
    """Verdict: skip this step."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hand:
    """Verdict: a user gets a task instead."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """Verdict: the request asks for nothing any more."""


Verdict = Send | Wait | Skip | Hand | Over


async def last_look(resources: Resources, link: Link, step: Step, chasing: Chasing) -> Verdict:
    """Return what to do with ``step`` after asking Stripe, Kommo and the chat.

    Raises Kommo's errors that concern the whole account.
    """
    seen = await _at_stripe(resources, link)
    if seen is not None:
        return seen
    link = await find_request(resources, link.request.account_id, link.request.id)
    standing = standing_of(link) or _ended(link, step)
    if standing is not None:
        return standing
    lead_id = link.request.lead_id
    lead = await with_kommo(resources, link.account.id, lambda api: api.lead(lead_id))
    kept = kept_by_the_deal(lead, link.ledger)
    if step.channel:
        kept = kept or kept_from_clients(link.account, lead, chasing)
    if kept:
        return Skip(kept)
    is_message = step.channel not in ("", "task")
    return Hand("replied") if is_message and await has_replied(resources, link) else Send()


def standing_of(link: Link) -> Verdict | None:
    """Return the verdict of the ledger alone; None if the request is owed, even if its link has ended."""
    if link.asked is None:  # it is of the other mode, test or live
        return Wait(24 * HOUR_SECONDS)
    if link.state == "processing":
        return Wait(LATER_SECONDS)
    if link.state not in OWED:
        return Over()
    return beside(link.ledger)


def has_ended(link: Link) -> bool:
    """Return whether the link can't be paid any more although the money is still owed."""
    return link.state not in PAYABLE or link.is_past_end


def _ended(link: Link, step: Step) -> Verdict | None:
    return Skip("ended") if step.channel and has_ended(link) else None


def beside(ledger: DealLedger) -> Verdict | None:
    """Return what else in the deal prevents a reminder; None if nothing does."""
    if ledger.is_under_way:
        return Wait(LATER_SECONDS)
    return Skip("disputed") if ledger.state == "disputed" else None


async def _at_stripe(resources: Resources, link: Link) -> Verdict | None:
    """Ask Stripe for the current session; its answer is in the ledger afterwards."""
    if link.is_over:
        return None
    try:
        await ask_again(resources, link)
    except Unreachable:
        return Wait(SOON_SECONDS)
    except (Refused, NotConnected):
        return Wait(HOUR_SECONDS)
    return None


def kept_by_the_deal(lead: Lead | None, ledger: DealLedger) -> str:
    """Return why nobody is reminded about this deal, neither client nor users; '' if reminders go on."""
    if lead is None:
        return "deal_gone"
    if lead.status_id in (WON, LOST):
        return "closed"
    if NO_REMINDERS in {tag.strip().lower() for tag in lead.tags}:
        return "tag"
    return "test" if not ledger.livemode and TEST_TAG not in lead.tags else ""


def kept_from_clients(account: Account, lead: Lead | None, chasing: Chasing) -> str:
    """Return why the client gets no automatic message about this deal; '' if one may go."""
    if not options_of(account).send_automatically:
        return "switched_off"
    return "stage" if lead is not None and lead.status_id in chasing.quiet_stages else ""
