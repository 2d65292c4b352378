"""Preview of a run: the amount for each deal, or the reason why nothing is requested."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.accounts.judgement import Word, judge
from backend.accounts.permissions import Access, WidgetUser, may, told_user
from backend.accounts.stripe.connections import connection_for_button
from backend.accounts.tokens.call import with_kommo
from backend.automation.rules.decide import Ask, Facts, UseAgain, decide
from backend.automation.rules.outcomes import Outcome, sentence
from backend.automation.rules.settings import RuleSettings
from backend.core.errors import KommoUnreachable, NotAllowed, NotConnected
from backend.core.money import Money
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import LOST, WON, Lead
from backend.ledger.load import load_deals
from backend.resources import Resources

OPEN = RuleSettings(amount="open")
"""A run requests the open amount of each deal."""
MOST_DEALS = 250
"""The most rows that Kommo shows on one screen of its list."""


@dataclass(frozen=True, slots=True)
class Row:
    """A deal of the preview: the formatted ``amount`` with its currency, else ``why`` nothing would be requested."""

    lead_id: int
    name: str
    amount: str = ""
    why: str = ""


async def preview(resources: Resources, user: WidgetUser, lead_ids: Sequence[int], language: str) -> list[Row]:
    """Return a row for each deal for which the user may create requests, in the list's order; other deals are left out.

    Raises ``NotAllowed`` if the user may create no requests, ``KommoUnreachable`` if Kommo can't be asked.
    """
    leads = await visible_leads(resources, user, lead_ids)
    account = user.account
    async with resources.database.look() as session:
        try:
            await connection_for_button(session, account)
            is_connected = True
        except NotConnected:
            is_connected = False
        ledgers = await load_deals(session, account, [lead.id for lead in leads], resources.clock())
    facts = [Facts(lead, ledgers[lead.id], account.currency, is_connected) for lead in leads]
    return [_row(one, language) for one in facts]


async def visible_leads(resources: Resources, user: WidgetUser, lead_ids: Sequence[int]) -> list[Lead]:
    """Return the deals that the user sees in Kommo and may create requests for, as Kommo has them now.

    At most ``MOST_DEALS``, in the given order. Raises ``NotAllowed``, and as ``told_user`` does.
    """
    told = await told_user(resources, user.account, user.user_id)
    if not may(user.account, Access(None, told), user.user_id, "create"):
        raise NotAllowed("Your administrator has not allowed you to do this.")
    wanted = list(dict.fromkeys(lead_ids))[:MOST_DEALS]
    try:
        found = await with_kommo(resources, user.account.id, lambda api: api.leads(wanted, contacts=True))
    except KommoError as error:
        raise KommoUnreachable("Kommo does not return these deals now. Try again in a moment.") from error
    seen = [found[one] for one in wanted if one in found]
    return [
        lead for lead in seen if judge("create", Word(told, "told"), Word(lead, "told"), disconnected=False) == "yes"
    ]


def _row(facts: Facts, language: str) -> Row:
    lead = facts.lead
    if lead.status_id in (WON, LOST):
        return Row(lead.id, lead.name, why=sentence(Outcome("closed"), language))
    decided = decide(OPEN, facts)
    if isinstance(decided, Ask):
        return Row(lead.id, lead.name, amount=str(decided.money))
    if isinstance(decided, UseAgain):
        request = next(one for one in facts.ledger.requests if one.id == decided.request_id)
        said = sentence(Outcome("used_again", {"amount": str(Money(request.amount, request.currency))}), language)
        return Row(lead.id, lead.name, why=said)
    return Row(lead.id, lead.name, why=sentence(decided, language))
