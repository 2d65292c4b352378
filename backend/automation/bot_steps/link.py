"""The step *Payment link*: the deal gets its payment request as in a stage, and the bot gets the link."""

from functools import partial

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.automation.bot_steps.answers import Answer, link_ready, no_link
from backend.automation.bot_steps.store import keep, requests_of_step
from backend.automation.rules.asking import make_or_find
from backend.automation.rules.entry import request_id
from backend.automation.rules.outcomes import Outcome, sentence
from backend.automation.rules.settings import RuleSettings
from backend.automation.rules.store import requests_of_rule
from backend.core.money import Money
from backend.kommo_api.values import LOST, WON
from backend.payments.find import find_request
from backend.resources import Resources
from backend.storage.models import Account, BotStep, PaymentRule
from backend.work_queue.leases import Claim


async def link_answer(resources: Resources, claim: Claim, account: Account, row: BotStep) -> Answer:
    """Return the answer to the bot. Raises ``StripeUnreachable`` if it is to be tried again."""
    lead = await with_kommo(resources, account.id, lambda api: api.lead(row.lead_id))
    if lead is None or lead.status_id in (WON, LOST):
        return _no_link(account, Outcome("gone" if lead is None else "closed"))
    async with resources.database.read() as session:
        rule = await session.get(PaymentRule, (account.id, row.rule_id)) if row.rule_id else None
        root = rule.root_id if rule else ""
        mine = await requests_of_rule(session, account.id, lead.id, root)
        mine |= await requests_of_step(session, account.id, lead.id, row.rule_id)
    settings = RuleSettings(**rule.settings) if rule else RuleSettings()
    asked_id = request_id(account.id, lead.id, f"bot:{row.id}", 0.0)
    begin = partial(_fix, resources, claim, row, asked_id)
    outcome, found_id = await make_or_find(resources, account.id, settings, lead, asked_id, mine, begin)
    row.request_id = found_id
    if found_id is None:
        return _no_link(account, outcome)
    request = (await find_request(resources, account.id, found_id)).request
    link = f"{resources.addresses.public_url}/p/{request.link_token}"
    return link_ready(Money(request.amount, request.currency), link)


async def _fix(resources: Resources, claim: Claim, row: BotStep, asked_id: str) -> None:
    row.request_id = asked_id
    await keep(resources, claim, row)


def _no_link(account: Account, outcome: Outcome) -> Answer:
    return no_link(outcome, sentence(outcome, options_of(account).note_language))
