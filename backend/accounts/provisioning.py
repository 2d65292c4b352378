"""Provisions an account before its deals can be written: deal fields, pipelines, a stage rule, a webhook endpoint."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.webhook_endpoints import ensure_endpoints
from backend.accounts.tokens.call import with_kommo
from backend.accounts.tokens.refresh import no_account_there
from backend.core.config import StageRule
from backend.core.errors import NotConnected
from backend.core.sentences.said import said, together
from backend.core.vault import CannotOpen
from backend.kommo_api.deal_fields import FieldEntry, FieldMap, names_in
from backend.kommo_api.errors import KommoError, KommoForbidden, KommoMoved, KommoNotFound
from backend.kommo_api.fields import FieldSetup, ensure_fields, present_fields
from backend.kommo_api.values import WON, AccountInfo, Pipeline
from backend.resources import Resources
from backend.storage.models import Account, Audit
from backend.storage.repeating import repeated
from backend.stripe_api.client import Unreachable
from backend.work_queue.lock_order import account_unit
from backend.work_queue.wakeups import request_redraw, request_work

LOOK_AGAIN_SECONDS = 3600.0
LONG_AGO = 1.0
"""The ``set_up_at`` of an account to check in the next round; 0 would stop its writing until then."""
log = structlog.get_logger()


async def set_up(resources: Resources, account_id: int) -> None:
    """Create or find everything the account needs; may be called again at any time.

    A failure is stored as the account's problem and raised: ``KommoError``, ``NotConnected`` or ``Unreachable``. The
    account counts as set up only once all is there: without its endpoint no payment would be received.
    """
    try:
        info = await with_kommo(resources, account_id, lambda api: api.account())
        known, chosen = await _known_fields(resources, account_id)
        language = chosen or await _account_language(resources, account_id, info)
        fields = await with_kommo(resources, account_id, lambda api: ensure_fields(api, known, language))
        pipelines = await with_kommo(resources, account_id, lambda api: api.pipelines())
    except (KommoNotFound, KommoMoved):
        async with resources.database.read() as session:
            account = await session.get_one(Account, account_id)
        await _note_problem(resources, account_id, no_account_there(account))
        raise
    except KommoError as error:
        await _note_problem(resources, account_id, said("set_up_failed", reason=str(error)))
        raise
    await _store(resources, account_id, info, fields, pipelines, language)
    try:
        await ensure_endpoints(resources, account_id)
    except Unreachable as error:
        await _note_problem(resources, account_id, said("webhook_silent", reason=str(error)))
        raise
    async with resources.database.write() as session:
        await session.exec(update(Account).where(col(Account.id) == account_id).values(set_up_at=resources.clock()))


async def look_again(resources: Resources) -> None:
    """Set up again each account whose last set-up is an hour old, to restore what people deleted in Kommo or at Stripe.

    Errors are logged; they do not stop the account's writing.
    """
    long_ago = resources.clock() - LOOK_AGAIN_SECONDS
    due = select(Account.id).where(Account.state == "connected", Account.set_up_at > 0, Account.set_up_at < long_ago)
    async with resources.database.read() as session:
        accounts = (await session.exec(due.order_by(col(Account.set_up_at)))).all()
    for account_id in accounts:
        try:
            await set_up(resources, account_id)
        except (KommoError, NotConnected, Unreachable, CannotOpen) as error:
            log.warning("set-up check failed", account=account_id, reason=str(error))


async def refresh_pipelines(resources: Resources, account_id: int) -> Account:
    """Fetch the account's pipelines again, store them, and return the account. Raises ``KommoError`` and
    ``NotConnected``."""
    pipelines = await with_kommo(resources, account_id, lambda api: api.pipelines())
    async with resources.database.write() as session:
        account = await session.get_one(Account, account_id, with_for_update=True)
        account.pipelines = as_json(pipelines)
        account.stages = _with_rules(account.stages, account.pipelines, resources.paid_stages)
        session.add(account)
    return account


async def look_at_map(resources: Resources, account_id: int) -> None:
    """Fetch which of our fields and stages still exist, and write only those from now on.

    Missing ones are created again at the next check of the account. Raises ``KommoError`` and ``NotConnected``.
    """
    known, _ = await _known_fields(resources, account_id)
    fields = await with_kommo(resources, account_id, lambda api: present_fields(api, known))
    await refresh_pipelines(resources, account_id)
    async with resources.database.write() as session:
        account = await session.get_one(Account, account_id, with_for_update=True)
        if account.fields != fields:
            log.warning("Kommo fields changed", account=account_id, there=sorted(fields))
            account.fields = {code: dict(field) for code, field in fields.items()}
            account.set_up_at = LONG_AGO
            session.add(account)


def as_json(pipelines: Sequence[Pipeline]) -> list[Any]:
    """The pipelines as stored JSON, without archived ones."""
    return [
        asdict(pipeline) | {"statuses": [asdict(status) for status in pipeline.statuses]}
        for pipeline in pipelines
        if not pipeline.is_archive
    ]


async def _known_fields(resources: Resources, account_id: int) -> tuple[FieldMap, str]:
    """The account's known fields, and the language of the fields to create; "" before any was created. Fields from
    before this choice existed are English."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
    return known_fields(account), account.language or ("en" if account.fields else "")


async def _account_language(resources: Resources, account_id: int, info: AccountInfo) -> str:
    """The account's language in Kommo, or if Kommo sends none, that of the administrator who connected it."""
    named = info.language
    if not named and info.current_user_id:
        try:
            user = await with_kommo(resources, account_id, lambda api: api.user(info.current_user_id))
            named = user.lang if user else ""
        except KommoForbidden:  # not an administrator: missing fields cannot be created either
            named = ""
    return names_in(named).language


def known_fields(account: Account) -> FieldMap:
    """The account's deal fields and options, as found last."""
    fields = account.fields.items()
    return {code: FieldEntry(id=int(one["id"]), type=one["type"], enums=one["enums"]) for code, one in fields}


@repeated
async def _store(
    resources: Resources,
    account_id: int,
    info: AccountInfo,
    fields: FieldSetup,
    pipelines: Sequence[Pipeline],
    language: str,
) -> None:
    now = resources.clock()
    async with account_unit(resources.database, account_id) as session:
        account = await session.get_one(Account, account_id, with_for_update=True)
        if account.fields and (fields.made or fields.completed):
            await request_redraw(session, account_id)  # a deleted field exists again and is empty
        account.currency, account.timezone, account.subdomain = info.currency, info.timezone, info.subdomain
        account.language = language
        account.fields = {code: dict(field) for code, field in fields.fields.items()}
        account.pipelines = as_json(pipelines)
        account.stages = _with_rules(account.stages, account.pipelines, resources.paid_stages)
        account.set_up_at = LONG_AGO if account.set_up_at else 0.0
        account.problem = _refused_fields(fields)
        session.add(account)
        _tell(session, account, fields, now)
        await request_work(session, account_id)


def _refused_fields(fields: FieldSetup) -> str:
    return together(*(said("field_refused", field=code, reason=reason) for code, reason in fields.refused.items()))


def _tell(session: AsyncSession, account: Account, fields: FieldSetup, now: float) -> None:
    done = {"made": list(fields.made), "completed": list(fields.completed)}
    if any(done.values()):
        session.add(Audit(at=now, account_id=account.id, who="set-up", what="deal fields", after=done))


def _with_rules(
    chosen: dict[str, Any], pipelines: Sequence[dict[str, Any]], paid_stages: list[StageRule] | str
) -> dict[str, Any]:
    """The stage rules, with PAID_STAGES for each pipeline that has no rule yet."""
    rules = dict(chosen)
    for pipeline in pipelines:
        key, statuses = str(pipeline["id"]), {status["id"] for status in pipeline["statuses"]}
        if key in rules:
            continue
        if paid_stages == "won":
            rules[key] = {"first": None, "paid": WON}
        for pipeline_id, status_id in paid_stages if not isinstance(paid_stages, str) else []:
            if pipeline_id == pipeline["id"] and status_id in statuses:
                rules[key] = {"first": None, "paid": status_id}
    return rules


async def _note_problem(resources: Resources, account_id: int, problem: str) -> None:
    async with resources.database.write() as session:
        account = await session.get_one(Account, account_id)
        account.problem = problem
        session.add(account)
