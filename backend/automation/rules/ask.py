"""Ask for the payment of a deal that entered a stage: once for each entry, and never beside a link that may be paid."""

from backend.automation.rules.decide import Ask, Facts, UseAgain, decide
from backend.automation.rules.entry import request_id
from backend.automation.rules.finish import finish
from backend.automation.rules.outcomes import ASKED, USED_AGAIN, Outcome
from backend.automation.rules.store import Case, entries_of, facts_of, fix, was_made
from backend.core.errors import AlreadyPaid, Conflict, NotConnected, ProductError, StripeUnreachable
from backend.core.money import Money, major
from backend.kommo_api.values import Lead
from backend.payments.checkout.open import ask_again
from backend.payments.create import create
from backend.payments.find import find_request
from backend.payments.schemas import CreateBody, PaymentSpec, spec_from
from backend.resources import Resources
from backend.storage.models import Account
from backend.stripe_api.client import Refused
from backend.work_queue.leases import Claim

NOBODY = 0
"""The user of a request that no person made."""


async def ask(resources: Resources, claim: Claim, case: Case, lead: Lead, at: float) -> None:
    """Makes the request of this entry, or uses the link that is there; what stands in the way becomes a task.

    Raises ``StripeUnreachable`` where it is to be tried again.
    """
    entry = case.entry
    asked_id = request_id(claim.account_id, lead.id, entry.root_id, at)
    if await was_made(resources, claim.account_id, asked_id):
        await finish(resources, claim, case, Outcome(ASKED, await _amount(resources, claim, asked_id)), asked_id)
        return
    decided = decide(case.settings, await _facts(resources, claim, case, lead))
    if isinstance(decided, UseAgain):  # a last look at Stripe: the client may have paid a moment ago
        await _look(resources, claim.account_id, decided.request_id)
        decided = decide(case.settings, await _facts(resources, claim, case, lead))
    if isinstance(decided, Outcome):
        await finish(resources, claim, case, decided)
    elif isinstance(decided, UseAgain):
        amount = await _amount(resources, claim, decided.request_id)
        await finish(resources, claim, case, Outcome(USED_AGAIN, amount), decided.request_id)
    else:
        await fix(resources, claim, entry, at, asked_id)
        outcome = await _created(resources, claim, lead, _spec(asked_id, lead, decided))
        await finish(resources, claim, case, outcome, asked_id if outcome.word == ASKED else None)


async def _facts(resources: Resources, claim: Claim, case: Case, lead: Lead) -> Facts:
    async with resources.database.read() as session:
        entries = await entries_of(session, claim.account_id, lead.id)
        mine = {one.request_id for one in entries if one.root_id == case.entry.root_id and one.request_id}
        return await facts_of(session, claim.account_id, lead, mine, resources.clock())


async def _look(resources: Resources, account_id: int, request_id: str) -> None:
    try:
        await ask_again(resources, await find_request(resources, account_id, request_id))
    except (Refused, NotConnected):  # the link says so itself when it is opened, and the ledger is what we know
        return


async def _amount(resources: Resources, claim: Claim, request_id: str) -> dict[str, str]:
    request = (await find_request(resources, claim.account_id, request_id)).request
    return {"amount": str(Money(request.amount, request.currency))}


def _spec(asked_id: str, lead: Lead, wanted: Ask) -> PaymentSpec:
    currency = wanted.money.currency
    body = CreateBody(
        request_id=asked_id,
        lead_id=lead.id,
        amount=major(wanted.money.amount, currency),
        currency=currency,
        description=wanted.description,
        kind=wanted.kind,
        deal_total=None if wanted.deal_total is None else major(wanted.deal_total, currency),
        replaces=wanted.replaces,
    )
    return spec_from(body)


async def _created(resources: Resources, claim: Claim, lead: Lead, spec: PaymentSpec) -> Outcome:
    async with resources.database.read() as session:
        account = await session.get_one(Account, claim.account_id)
    try:
        await create(resources, account, NOBODY, spec, lead)
    except StripeUnreachable:
        raise
    except AlreadyPaid:
        return Outcome("paid")
    except Conflict:  # the client is paying the older link at this moment, or opening it
        return Outcome("under_way")
    except NotConnected:
        return Outcome("not_connected")
    except ProductError as refusal:
        return Outcome("stripe_refused", {"reason": refusal.message})
    return Outcome(ASKED, {"amount": str(spec.money)})
