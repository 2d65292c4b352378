"""One request for a rule and a deal: an existing link, a new one, or the reason why there is none."""

from collections.abc import Awaitable, Callable, Collection
from datetime import date, timedelta

from backend.automation.rules.decide import Ask, Facts, UseAgain, decide
from backend.automation.rules.outcomes import ASKED, USED_AGAIN, Outcome
from backend.automation.rules.settings import RuleSettings
from backend.automation.rules.store import facts_of, was_made
from backend.core.days import day_at
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

NOBODY = 0
"""The user of a request that no person created."""
Begin = Callable[[], Awaitable[None]]


async def make_or_find(
    resources: Resources,
    account_id: int,
    settings: RuleSettings,
    lead: Lead,
    asked_id: str,
    mine: Collection[str],
    begin: Begin,
) -> tuple[Outcome, str | None]:
    """Return (outcome, id of the request whose link is to be sent); the id is None if there is none.

    ``asked_id``: the uuid for a new request; ``mine``: requests that the rule created before; ``begin`` commits what
    must be stored before anything is created. Raises ``StripeUnreachable`` or ``Unreachable`` if it is to be tried
    again with the same uuid.
    """
    if await was_made(resources, account_id, asked_id):
        return Outcome(ASKED, await _amount(resources, account_id, asked_id)), asked_id
    decided = decide(settings, await _facts(resources, account_id, lead, mine))
    if isinstance(decided, UseAgain):  # a last look at Stripe: the client may have paid a moment ago
        await _look(resources, account_id, decided.request_id)
        decided = decide(settings, await _facts(resources, account_id, lead, mine))
    if isinstance(decided, Outcome):
        return decided, None
    if isinstance(decided, UseAgain):
        return Outcome(USED_AGAIN, await _amount(resources, account_id, decided.request_id)), decided.request_id
    await begin()
    until = await _last_day(resources, account_id, settings)
    outcome = await _created(resources, account_id, lead, _spec(asked_id, lead, decided, until))
    return outcome, asked_id if outcome.word == ASKED else None


async def _facts(resources: Resources, account_id: int, lead: Lead, mine: Collection[str]) -> Facts:
    async with resources.database.read() as session:
        return await facts_of(session, account_id, lead, mine, resources.clock())


async def _look(resources: Resources, account_id: int, request_id: str) -> None:
    try:
        await ask_again(resources, await find_request(resources, account_id, request_id))
    except (Refused, NotConnected):  # the link says so itself when it is opened, and the ledger is what we know
        return


async def _amount(resources: Resources, account_id: int, request_id: str) -> dict[str, str]:
    request = (await find_request(resources, account_id, request_id)).request
    return {"amount": str(Money(request.amount, request.currency))}


async def _last_day(resources: Resources, account_id: int, settings: RuleSettings) -> date | None:
    if settings.valid_days is None:
        return None
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
    return day_at(resources.clock(), account.timezone) + timedelta(days=settings.valid_days)


def _spec(asked_id: str, lead: Lead, wanted: Ask, until: date | None) -> PaymentSpec:
    """Return the request; ``until``: the link's last day, None for the account's default dates."""
    currency = wanted.money.currency
    body = {
        "request_id": asked_id,
        "lead_id": lead.id,
        "amount": major(wanted.money.amount, currency),
        "currency": currency,
        "description": wanted.description,
        "kind": wanted.kind,
        "deal_total": None if wanted.deal_total is None else major(wanted.deal_total, currency),
        "replaces": wanted.replaces,
    }
    if until is not None:
        body["valid_until"] = until
    return spec_from(CreateBody.model_validate(body))


async def _created(resources: Resources, account_id: int, lead: Lead, spec: PaymentSpec) -> Outcome:
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
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
