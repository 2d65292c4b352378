"""A rule's decision, in values: the amount, whether an existing link fits, or the obstacle."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from backend.automation.rules.outcomes import Outcome
from backend.automation.rules.settings import DEAL, RuleSettings
from backend.core.errors import AmountInvalid, AmountTooLarge, AmountTooSmall
from backend.core.money import CURRENCIES, THREE_DECIMAL, WHOLE_UNITS_ONLY, Money, exponent, major, to_minor
from backend.deal_sync.desired.stages import TEST_TAG
from backend.kommo_api.values import Lead
from backend.ledger.deal import DealLedger, Request
from backend.payments.schemas import MAX_DESCRIPTION

UNPAID = ("pending", "failed")


@dataclass(frozen=True, slots=True)
class Facts:
    """The data of a decision. ``mine``: requests that this rule created for the deal before."""

    lead: Lead
    ledger: DealLedger
    currency: str
    is_connected: bool
    mine: Collection[str] = ()

    @property
    def price(self) -> int:
        """The deal's price in minor units; 0 without one."""
        return _minor(Decimal(self.lead.price), self.currency)

    @property
    def received(self) -> int:
        """The received amount in minor units."""
        return sum(one.gross for one in self.ledger.sums if one.currency == self.currency)


@dataclass(frozen=True, slots=True)
class Ask:
    """Create a request; it replaces the request ``replaces`` if given."""

    money: Money
    kind: str
    description: str
    deal_total: int | None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class UseAgain:
    """Use the existing link over the same amount."""

    request_id: str


def decide(settings: RuleSettings, facts: Facts) -> Ask | UseAgain | Outcome:
    """Return what to do for a deal in the rule's stage: create a request, use an existing link, or do neither.

    An ``Outcome`` names the reason for neither: the deal's state, a missing condition, an amount that is absent or
    outside Stripe's limits, or a different unpaid request that the rule may not replace.
    """
    stopped = _stopped(facts) or _obstacle(facts)
    if stopped:
        return stopped
    wanted = _wanted(settings, facts)
    if isinstance(wanted, Outcome):
        return wanted
    try:
        to_minor(major(wanted, facts.currency), facts.currency)
    except (AmountTooSmall, AmountInvalid):
        return Outcome("too_small", {"amount": str(Money(wanted, facts.currency))})
    except AmountTooLarge:
        return Outcome("too_large", {"amount": str(Money(wanted, facts.currency))})
    return _beside_what_is_asked(settings, facts, Money(wanted, facts.currency))


def _stopped(facts: Facts) -> Outcome | None:
    if facts.ledger.is_under_way:
        return Outcome("under_way")
    return Outcome("disputed") if facts.ledger.state == "disputed" else None


def _obstacle(facts: Facts) -> Outcome | None:
    if not facts.is_connected:
        return Outcome("not_connected")
    if not facts.ledger.livemode and TEST_TAG not in facts.lead.tags:
        return Outcome("test_untagged", {"tag": TEST_TAG})
    if facts.lead.main_contact_id is None:
        return Outcome("no_contact")
    return Outcome("currency_unknown", {"currency": facts.currency}) if facts.currency not in CURRENCIES else None


def _wanted(settings: RuleSettings, facts: Facts) -> int | Outcome:
    """Return the amount in minor units: at most the open part of the price, less what this rule's links brought."""
    if settings.amount == "open" and not facts.price and facts.ledger.live_requests:
        amount = sum(one.payable for one in facts.ledger.sums if one.currency == facts.currency)
    elif settings.amount == "field":
        amount = _in_field(settings.field_id or 0, facts) - _brought(facts)
        if amount + _brought(facts) <= 0:
            return Outcome("no_amount")
    elif not facts.price:
        return Outcome("no_price")
    elif settings.amount == "percent":
        share = Decimal(facts.lead.price) * settings.percent / 100
        amount = _minor(share, facts.currency) - _brought(facts)
    else:
        amount = facts.price
    if facts.price:
        amount = min(amount, facts.price - facts.received)
    return amount if amount > 0 else Outcome("nothing_open")


def _brought(facts: Facts) -> int:
    mine = [request for request in facts.ledger.requests if request.id in facts.mine]
    received = [payment for request in mine for payment in facts.ledger.received_for(request)]
    return sum(payment.amount for payment in received if payment.currency == facts.currency)


def _in_field(field_id: int, facts: Facts) -> int:
    values = facts.lead.fields.get(field_id, ())
    try:
        number = Decimal(str(values[0].value).strip()) if values else Decimal(0)
    except InvalidOperation:
        return 0
    return _minor(number, facts.currency) if number.is_finite() and number.adjusted() < 15 else 0


def _minor(value: Decimal, currency: str) -> int:
    """Return minor units, rounded to a step that Stripe accepts for the currency."""
    step = 100 if currency in WHOLE_UNITS_ONLY else 10 if currency in THREE_DECIMAL else 1
    steps = value.scaleb(exponent(currency)) / step
    return int(steps.quantize(Decimal(1), ROUND_HALF_UP)) * step


def _beside_what_is_asked(settings: RuleSettings, facts: Facts, money: Money) -> Ask | UseAgain | Outcome:
    there = [one for one in facts.ledger.live_requests if facts.ledger.request_state(one) in UNPAID]
    newest_first = sorted(there, key=lambda one: (one.created_at, one.id), reverse=True)
    same = next((one for one in newest_first if _asks(one, money)), None)
    if same is not None:
        return UseAgain(same.id)
    if not there:
        return _ask(settings, facts, money)
    if settings.replace and len(there) == 1 and there[0].mode == "payment":
        return _ask(settings, facts, money, replaces=there[0].id)
    other = newest_first[0]
    return Outcome("asked_otherwise", {"amount": str(money), "other": str(Money(other.amount, other.currency))})


def _asks(request: Request, money: Money) -> bool:
    return request.mode == "payment" and (request.amount, request.currency) == (money.amount, money.currency)


def _ask(settings: RuleSettings, facts: Facts, money: Money, replaces: str | None = None) -> Ask:
    total = facts.price if settings.kind == "deposit" and facts.price >= money.amount else None
    return Ask(money, settings.kind, _description(settings, facts.lead), total, replaces)


def _description(settings: RuleSettings, lead: Lead) -> str:
    name = lead.name.strip() or f"#{lead.id}"
    written = settings.description if settings.description.strip() else DEAL
    return written.replace(DEAL, name)[:MAX_DESCRIPTION]
