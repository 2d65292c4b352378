"""The account's rules and their keys: created when the action's form opens in Kommo, stored as digests."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.permissions import WidgetUser, told_user
from backend.automation.rules.settings import RuleSettings
from backend.core.errors import Conflict, NotAllowed, RuleNotFound
from backend.core.signing import opaque_id
from backend.resources import Resources
from backend.storage.models import PaymentRule
from backend.work_queue.lock_order import account_unit

RUN = "list:"
"""Prefix of rule ids that belong to a run over several deals."""
MOST_RULES = 1_000
EDIT_SECONDS = 24 * 3600.0
"""How long the form that created a rule may change it; a later form creates another."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A rule with its key, which is returned only once: to the form that writes it into Kommo's action."""

    key: str
    settings: RuleSettings


def digest_of(key: str) -> str:
    """Return the digest by which a key is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


async def check_may_rule(resources: Resources, user: WidgetUser, *, changing: bool = False) -> None:
    """Return if Kommo says that the user is an active administrator; for ``changing`` a rule, Kommo is asked at once.

    Raises ``NotAllowed`` otherwise, and as ``told_user`` does.
    """
    told = await told_user(resources, user.account, user.user_id, fresh=changing)
    if not (told.is_admin and told.is_active):
        raise NotAllowed("Only an administrator of this Kommo account may set up automatic payment requests.")


async def make_rule(resources: Resources, user: WidgetUser, settings: RuleSettings, before: str = "") -> NewKey:
    """Create a rule with a new key and return both. ``before``: the key of the rule that it may succeed, or ''.

    The older key stays valid: Kommo's *Save* or *Cancel* decides which of the two counts. Raises ``Conflict`` at
    ``MOST_RULES``.
    """
    key, rule_id = opaque_id(resources.randomness), opaque_id(resources.randomness)
    account_id = user.account.id
    async with account_unit(resources.database, account_id) as session:
        counted = (
            select(func.count())
            .select_from(PaymentRule)
            .where(PaymentRule.account_id == account_id, ~col(PaymentRule.id).startswith(RUN, autoescape=True))
        )
        if (await session.exec(counted)).one() >= MOST_RULES:
            raise Conflict(f"This account has {MOST_RULES} rules, the maximum. Use one of them again.")
        older = await rule_of(session, before, account_id) if before else None
        session.add(
            PaymentRule(
                account_id=account_id,
                id=rule_id,
                root_id=older.root_id if older else rule_id,
                key_digest=digest_of(key),
                settings=settings.model_dump(),
                user_id=user.user_id,
                created_at=resources.clock(),
            )
        )
    return NewKey(key, settings)


async def find_rule(resources: Resources, account_id: int, key: str) -> PaymentRule:
    """Return the account's rule of this key. Raises ``RuleNotFound``."""
    async with resources.database.look() as session:
        rule = await rule_of(session, key, account_id)
    if rule is None:
        raise RuleNotFound("This account has no rule with this key.")
    return rule


async def change_rule(resources: Resources, user: WidgetUser, key: str, settings: RuleSettings) -> NewKey:
    """Change a rule's settings under the same key while its form is open; else create a rule with a new key."""
    rule = await find_rule(resources, user.account.id, key)
    now = resources.clock()
    async with account_unit(resources.database, rule.account_id) as session:
        unused = (col(PaymentRule.used_at).is_(None), col(PaymentRule.created_at) > now - EDIT_SECONDS)
        mine = (col(PaymentRule.account_id) == rule.account_id, col(PaymentRule.id) == rule.id)
        changed = update(PaymentRule).where(*mine, *unused).values(settings=settings.model_dump())
        if (await session.exec(changed)).rowcount:
            return NewKey(key, settings)
    return await make_rule(resources, user, settings, before=key)


async def rule_of(session: AsyncSession, key: str, account_id: int | None = None) -> PaymentRule | None:
    """Return the rule of this key, of ``account_id`` if given; None without one."""
    found = (await session.exec(select(PaymentRule).where(PaymentRule.key_digest == digest_of(key)))).first()
    return found if found is not None and account_id in (None, found.account_id) else None
