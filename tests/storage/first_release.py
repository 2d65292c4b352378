"""A database as the first release left it: migration 0001, and rows in the words of that time.

What is written here never changes, like the migration itself; later releases must be able to go on from it.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alembic import command
from sqlalchemy import Connection, MetaData

from backend.core.vault import Vault
from backend.storage.db import Database
from backend.storage.migrations import alembic_config
from tests.world import World

CONNECTION, ENDPOINT_SECRET = "con1", "whsec_made_up_for_the_tests"
STATES = ("Pending", "Processing", "Paid", "Partially paid", "Failed", "Refunded", "Partially refunded", "Disputed")
FIELDS = (
    ("STRIPE_PAYMENT_STATUS", "Payment status", "select"),
    ("STRIPE_AMOUNT_PAID", "Amount paid", "numeric"),
    ("STRIPE_REFUNDED", "Refunded amount", "numeric"),
    ("STRIPE_OUTSTANDING", "Outstanding", "numeric"),
    ("STRIPE_CURRENCY", "Currency", "text"),
    ("STRIPE_PAYMENT_INTENT", "Stripe Payment Intent ID", "text"),
    ("STRIPE_PAYMENT_DATE", "Payment date", "date_time"),
    ("STRIPE_PAYMENTS", "Payments", "numeric"),
    ("STRIPE_PAYMENT_LINK", "Payment link", "url"),
)
Rows = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Filled:
    """Three deals: one whose card is to be written, one whose payment is still in the inbox, one that is done."""

    product: World
    dirty: int
    waiting: int
    done: int
    link_token: str = "abcdefghijklmnop"

    @property
    def vault(self) -> Vault:
        return self.product.resources.vault

    @property
    def now(self) -> float:
        return self.product.resources.clock()


async def fill(product: World, database_url: str) -> Filled:
    """The database, and what Kommo already shows of it."""
    filled = Filled(product, product.lead("Dirty"), product.lead("Waiting"), product.lead("Done"))
    rows = [*_who(filled), *_asked(filled), *_known(filled)]
    database = Database(database_url)
    async with database.engine.connect() as connection:
        await connection.execution_options(may_write=True)
        await connection.run_sync(_insert, rows)
        await connection.commit()
    await database.close()
    return filled


def _insert(connection: Connection, rows: Sequence[Rows]) -> None:
    command.upgrade(alembic_config(connection), "0001")
    tables = MetaData()
    tables.reflect(connection)
    for table, row in rows:
        connection.execute(tables.tables[table].insert(), row)


def _who(filled: Filled) -> Iterator[Rows]:
    product, vault, now = filled.product, filled.vault, filled.now
    integration, account = product.integration, product.account
    integration.installed = True
    pair = product.kommo.issue_pair(integration.client_id, account.admin.id)
    tokens = json.dumps({"access_token": pair.access, "refresh_token": pair.refresh})
    key = next(text for text in product.stripe.default_account.keys if "_live_" in text)
    secret = vault.seal_text(ENDPOINT_SECRET, f"stripe_connection:{CONNECTION}:webhook_secret")
    yield "integration", {
        "client_id": integration.client_id, "source": "environment", "label": "", "account_id": account.id,
        "secret": vault.seal_text(integration.client_secret, f"integration:{integration.client_id}:secret"),
        "redirect_uri": integration.redirect_uri,
    }  # fmt: skip
    yield "account", {
        "id": account.id, "client_id": integration.client_id, "base_url": product.kommo.base_url, "mode": "",
        "subdomain": account.subdomain, "state": "connected", "token_version": 1, "token_issued_at": now,
        "tokens": vault.seal_text(tokens, f"account:{account.id}:tokens"), "token_expires_at": now + 86400,
        "token_answer": None, "refresh_until": 0.0, "currency": "USD", "timezone": "America/New_York",
        "fields": _fields(product), "pipelines": _pipelines(product), "stages": _stages(product), "options": {},
        "connected_at": now, "set_up_at": now, "problem": "",
    }  # fmt: skip
    yield "account_work", {
        "account_id": account.id, "wanted": 7, "done": 5, "owner": "", "epoch": 4, "lease_until": 0.0,
        "next_try_at": 0.0, "hold_until": 0.0, "wake_at": 0.0,
    }  # fmt: skip
    yield "stripe_connection", {
        "id": CONNECTION, "account_id": account.id, "source": "environment", "livemode": True, "label": "",
        "state": "active", "api_key": vault.seal_text(key, f"stripe_connection:{CONNECTION}:api_key"),
        "endpoint_id": "we_1", "endpoint_version": "2026-10-28.endive", "webhook_secrets": [secret],
        "given_secrets": [], "reference_policy": "trust", "problem": "",
    }  # fmt: skip


def _fields(product: World) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for code, name, kind in FIELDS:
        options = STATES if kind == "select" else ()
        made = product.account.add_field(name, kind, code=code, options=options, is_api_only=True)
        enums = {option.value.lower().replace(" ", "_"): option.id for option in made.enums}
        known[code] = {"id": made.id, "type": kind, "enums": enums}
    return known


def _pipelines(product: World) -> list[dict[str, Any]]:
    pipeline = product.account.main_pipeline
    statuses = [
        {"id": one.id, "name": one.name, "sort": one.sort, "type": one.type, "pipeline_id": pipeline.id}
        for one in pipeline.statuses
    ]
    about = {"id": pipeline.id, "name": pipeline.name, "sort": pipeline.sort, "is_main": True, "is_archive": False}
    return [about | {"statuses": statuses}]


def _stages(product: World) -> dict[str, Any]:
    pipeline = product.account.main_pipeline
    paid = next(status.id for status in pipeline.statuses if status.name == "Paid")
    return {str(pipeline.id): {"first": None, "paid": paid}}


def _asked(filled: Filled) -> Iterator[Rows]:
    account, now = filled.product.account, filled.now
    for number, lead_id in enumerate((filled.dirty, filled.waiting), 1):
        yield "payment_request", {
            "account_id": account.id, "id": request_id(number), "connection_id": CONNECTION, "lead_id": lead_id,
            "contact_id": None, "amount": 12000, "currency": "USD", "description": "Sofa", "mode": "payment",
            "interval": None, "interval_count": None, "kind": "full", "deal_total": None, "content": "0" * 64,
            "user_id": account.admin.id, "email": None, "link_token": f"{filled.link_token[:-1]}{number}",
            "session_n": 1, "tries": 0, "stage_seen": account.leads[lead_id].status_id, "created_at": now - 90,
            "expires_at": None, "cancelled_at": None, "replaced_by": None, "opened_at": now - 60,
        }  # fmt: skip
        yield "checkout_session", {
            "connection_id": CONNECTION, "id": f"cs_live_{number}", "account_id": account.id, "n": 1,
            "request_id": request_id(number), "url": f"https://checkout.stripe.com/c/pay/cs_live_{number}",
            "expires_at": now + 80000, "made_at": now - 60,
        }  # fmt: skip


def request_id(number: int) -> str:
    return f"0d6b1c9e-8a34-4a52-9d1c-5f5f5b1f000{number}"


def _known(filled: Filled) -> Iterator[Rows]:
    account_id, now = filled.product.account.id, filled.now
    yield "ledger_entry", {
        "connection_id": CONNECTION, "id": "pi_1", "kind": "payment", "account_id": account_id, "ours": True,
        "lead_id": filled.dirty, "request_id": request_id(1),
        "facts": {
            "events": ["evt_1"], "kind": "payment", "lead": [0, filled.dirty], "marked": True, "paid_at": int(now) - 30,
            "received": [4, 12000, "USD"], "request": request_id(1), "session": ["cs_live_1"],
        },
    }  # fmt: skip
    yield "ledger_entry", {
        "connection_id": CONNECTION, "id": "cs_live_1", "kind": "session", "account_id": account_id, "ours": True,
        "lead_id": filled.dirty, "request_id": request_id(1),
        "facts": {
            "asked": [12000, "USD"], "completed_at": int(now) - 30, "events": ["evt_0"], "kind": "session",
            "lead": [0, filled.dirty], "marked": True, "mode": "payment", "payment_status": "paid",
            "request": request_id(1), "split": [12000, 0, 0, 0], "status": "complete",
        },
    }  # fmt: skip
    yield "ledger_link", {"connection_id": CONNECTION, "child": "pi_1", "parent": "cs_live_1"}
    yield "ledger_entry", {
        "connection_id": CONNECTION, "id": "pi_3", "kind": "payment", "account_id": account_id, "ours": True,
        "lead_id": filled.done, "request_id": None,
        "facts": {
            "events": ["evt_3"], "kind": "payment", "lead": [1, filled.done], "marked": True, "paid_at": int(now) - 300,
            "received": [4, 5000, "USD"],
        },
    }  # fmt: skip
    yield "inbox_event", _event(filled)
    yield from _cards(filled)


def _event(filled: Filled) -> dict[str, Any]:
    marks = {
        "kommo_account_id": str(filled.product.account.id), "kommo_lead_id": str(filled.waiting),
        "kommo_request_id": request_id(2),
    }  # fmt: skip
    intent = {
        "id": "pi_2", "object": "payment_intent", "status": "succeeded", "amount": 12000, "amount_received": 12000,
        "currency": "usd", "metadata": marks, "created": int(filled.now) - 20,
    }  # fmt: skip
    body = {
        "id": "evt_2", "object": "event", "type": "payment_intent.succeeded", "created": int(filled.now) - 20,
        "livemode": True, "api_version": "2026-10-28.endive", "data": {"object": intent},
    }  # fmt: skip
    packed = zlib.compress(json.dumps(body).encode(), 1)
    return {
        "connection_id": CONNECTION, "id": "evt_2", "type": body["type"], "api_version": body["api_version"],
        "body": filled.vault.seal(packed, f"inbox_event:{CONNECTION}:evt_2:body"), "received_at": filled.now - 20,
        "state": "new", "attempts": 0, "next_try_at": 0.0, "error": "",
    }  # fmt: skip


def _cards(filled: Filled) -> Iterator[Rows]:
    account, now = filled.product.account, filled.now
    text = "Payment received: 50.00 USD. Stripe pi_3. [abcd2345]"
    note = filled.product.kommo.person().add_note(filled.done, text)
    for lead_id, wanted, written in ((filled.dirty, 3, 1), (filled.done, 2, 2)):
        yield "deal", {
            "account_id": account.id, "lead_id": lead_id, "wanted": wanted, "written": written, "attempts": 0,
            "dirty_since": now - 30, "next_try_at": 0.0, "look_again_at": None, "state": "known", "problem": "",
        }  # fmt: skip
    yield "card_write", {
        "account_id": account.id, "lead_id": filled.done, "kind": "note", "fact_id": "payment:pi_3", "epoch": 4,
        "content": {"text": text, "marker": "abcd2345"}, "state": "done", "sent_at": now - 200, "attempts": 0,
        "kommo_id": note.id, "error": "",
    }  # fmt: skip
