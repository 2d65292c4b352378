"""Kommo integrations and accounts, and the Stripe connections that belong to them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index

ATTACHED = "what = 'payment attached'"


class Integration(SQLModel, table=True):
    """A private Kommo integration. It belongs to one account; several accounts mean several integrations."""

    client_id: str = Field(primary_key=True)
    secret: str  # sealed for "integration:{client_id}:secret"
    secret_at: float = moment(default=0.0)  # when this secret was given
    proven_at: float = moment(default=0.0)  # when Kommo first took it, or signed by it; 0 = not yet
    refused_at: float = moment(default=0.0)  # when Kommo refused it last; 0 = never since it was proven
    redirect_uri: str
    label: str = ""
    source: str = "admin"  # admin | environment
    base_url: str = ""  # the account's address, if the operator confirmed one
    account_id: int | None = big_int(default=None, nullable=True)  # written once


class Account(SQLModel, table=True):
    """A Kommo account. ``tokens`` is sealed JSON {access_token, refresh_token} for "account:{id}:tokens"."""

    id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    client_id: str = ""  # the integration that the tokens belong to; empty with a long-lived token
    base_url: str
    subdomain: str = ""
    state: str = "connected"  # connected | reconnect | uninstalled
    mode: str = ""  # test | live: which connection the button uses; empty = the only one there is
    tokens: str
    token_version: int = 0
    token_issued_at: float = moment(default=0.0)
    token_expires_at: float = moment(default=0.0)  # 0 = a long-lived token, never refreshed
    token_answer: str | None = None  # sealed raw answer of a refresh, until it is parsed into `tokens`
    refresh_until: float = moment(default=0.0)  # a process is refreshing; no other may before this time
    refresh_owner: int = big_int(default=0)  # presence lock of that process; 0 = none, only the time counts
    refused_since: float = moment(default=0.0)  # since when Kommo refuses the long-lived token; 0 = accepted
    probe_at: float = moment(default=0.0)  # when the refused token is tried next
    currency: str = ""
    timezone: str = "UTC"
    language: str = ""  # language of the deal fields; '' = none created since languages exist
    fields: dict[str, Any] = document(default_factory=dict)  # code → {id, type, enums}
    stages: dict[str, Any] = document(default_factory=dict)  # pipeline id → {first, paid}
    pipelines: list[Any] = document(default_factory=list)  # as fetched last: [{id, name, sort, statuses: […]}]
    options: dict[str, Any] = document(default_factory=dict)
    logo: dict[str, Any] = document(default_factory=dict)  # digest, width and height of its row in account_logo
    connected_at: float = moment()
    set_up_at: float = moment(default=0.0)  # 0 = fields and endpoint must still be created
    problem: str = ""  # a problem that an admin must resolve, in a sentence
    redraw_from: int | None = big_int(default=None)  # deals above this id must be rewritten; None = no rewrite
    hook_secret: str = ""  # part of the URL of Kommo's hooks; sealed for "account:{id}:hook"
    hook_digest: str = Field(default="", index=True)


class AccountWork(SQLModel, table=True):
    """There is work for an account while ``done < wanted``. The lease is liveness; the epoch fences every outcome."""

    __tablename__ = "account_work"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    wanted: int = big_int(default=0)
    done: int = big_int(default=0)
    owner: str = ""
    epoch: int = big_int(default=0)
    lease_until: float = moment(default=0.0)
    next_try_at: float = moment(default=0.0)  # no job before this time, after a failure of ours
    hold_until: float = moment(default=0.0)  # Kommo asked us to wait: the ledger goes on, the writer waits
    wake_at: float = moment(default=0.0)  # time of a turn without a request for work; 0 = none
    owner_lock: int = big_int(default=0)  # presence lock of the owner; 0 = none, only the lease counts
    claimed_at: float = moment(default=0.0)  # the account served longest ago is next


class StripeConnection(SQLModel, table=True):
    """A Stripe account and mode, seen from one Kommo account. ``id`` is opaque, because it is part of the webhook
    URL."""

    __tablename__ = "stripe_connection"
    id: str = Field(primary_key=True)
    account_id: int | None = big_int(default=None, nullable=True, index=True)
    source: str = "admin"  # admin | environment
    livemode: bool = False
    label: str = ""
    state: str = "active"  # active | draining | removed: the row is kept for the payments made by it
    api_key: str = ""  # sealed for "stripe_connection:{id}:api_key"
    endpoint_id: str = ""
    endpoint_version: str = ""
    endpoint_url: str = ""  # URL, version and events as Stripe has them, not as they should be
    endpoint_events: list[str] = document(default_factory=list)
    endpoint_tries: int = 0  # errors that Stripe would replay for the same idempotency key; part of the next key
    webhook_secrets: list[str] = document(default_factory=list)  # each sealed for "…:webhook_secret"
    given_secrets: list[str] = document(default_factory=list)  # the same, entered by hand
    reference_policy: str = "trust"  # trust | suggest: may a bare client_reference_id name a deal?
    problem: str = ""
    heard_to: float = moment(default=0.0)  # Stripe's list of events was read up to this time; 0 = reading starts now


class SetupLink(SQLModel, table=True):
    """A one-time link to the set-up pages, valid for a minute. Only the secret's digest is stored."""

    __tablename__ = "setup_link"
    digest: str = Field(primary_key=True)
    account_id: int = big_int()
    user_id: int = big_int()
    role: str = "administrator"  # administrator | finance, by Kommo and the options at creation
    language: str = ""  # the user's language in Kommo
    expires_at: float = moment()


class SetupSession(SQLModel, table=True):
    """A signed-in user of the set-up pages. Only the cookie's digest is stored; without this row a cookie opens
    nothing."""

    __tablename__ = "setup_session"
    digest: str = Field(primary_key=True)
    account_id: int | None = big_int(default=None, nullable=True, index=True)  # None = the operator, who sees all
    user_id: int = big_int(default=0)
    role: str = "administrator"  # administrator | finance; the operator has no account
    language: str = ""
    token_digest: str = ""  # keyed digest of ADMIN_TOKEN: another token ends the operator's session
    ends_at: float = moment()
    checked_at: float = moment(default=0.0)  # when Kommo last confirmed the user's role
    seen_at: float = moment(default=0.0)  # when the session was last used, within a minute


class WidgetSeen(SQLModel, table=True):
    """Last widget call per account; the set-up page shows it as a liveness sign."""

    __tablename__ = "widget_seen"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: int = big_int()
    at: float = moment()


class Audit(SQLModel, table=True):
    """A change: its author, the state before and after."""

    __table_args__ = (
        Index("audit_of_account", "account_id", "id"),
        partial_index("audit_attached", ATTACHED, "account_id", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: float = moment()
    account_id: int | None = big_int(default=None, nullable=True)
    who: str
    what: str
    before: dict[str, Any] = document(default_factory=dict)
    after: dict[str, Any] = document(default_factory=dict)
