"""Who we serve: Kommo integrations and accounts, and the Stripe connections that belong to them."""

from typing import Any

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment


class Integration(SQLModel, table=True):
    """A private Kommo integration. It belongs to one account; several accounts mean several integrations."""

    client_id: str = Field(primary_key=True)
    secret: str  # sealed for "integration:{client_id}:secret"
    redirect_uri: str
    label: str = ""
    source: str = "admin"  # admin | environment
    base_url: str = ""  # the account's address, where the operator confirmed one
    account_id: int | None = big_int(default=None, nullable=True)  # written once


class Account(SQLModel, table=True):
    """A Kommo account. ``tokens`` is sealed JSON {access_token, refresh_token} for "account:{id}:tokens"."""

    id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    client_id: str = ""  # the integration whose tokens these are; empty with a long-lived token
    base_url: str
    subdomain: str = ""
    state: str = "connected"  # connected | reconnect | uninstalled
    mode: str = ""  # test | live: which connection the button uses; empty = the only one there is
    tokens: str
    token_version: int = 0
    token_issued_at: float = moment(default=0.0)
    token_expires_at: float = moment(default=0.0)  # 0 = a long-lived token, never refreshed
    token_answer: str | None = None  # sealed raw answer of a refresh, until it is parsed into `tokens`
    refresh_until: float = moment(default=0.0)  # somebody refreshes; nobody else may before this moment
    refresh_owner: int = big_int(default=0)  # what that process holds while it lives; 0 = only the moment tells
    refused_since: float = moment(default=0.0)  # Kommo refuses the long-lived token since then; 0 = it does not
    probe_at: float = moment(default=0.0)  # when the refused token is tried next
    currency: str = ""
    timezone: str = "UTC"
    fields: dict[str, Any] = document(default_factory=dict)  # code → {id, type, enums}
    stages: dict[str, Any] = document(default_factory=dict)  # pipeline id → {first, paid}
    pipelines: list[Any] = document(default_factory=list)  # as read last: [{id, name, sort, statuses: […]}]
    options: dict[str, Any] = document(default_factory=dict)
    logo: dict[str, Any] = document(default_factory=dict)  # digest, width and height of its row in account_logo
    connected_at: float = moment()
    set_up_at: float = moment(default=0.0)  # 0 = fields and endpoint are still to be made
    problem: str = ""  # what an admin must know, in a sentence
    redraw_from: int | None = big_int(default=None)  # deals above this id are still to be written anew; None = none are
    hook_secret: str = ""  # in the address that Kommo's hooks are sent to; sealed for "account:{id}:hook"
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
    next_try_at: float = moment(default=0.0)  # no job before this moment, after a failure of our own
    hold_until: float = moment(default=0.0)  # Kommo asked for patience: the ledger goes on, the writer waits
    wake_at: float = moment(default=0.0)  # look again at this moment even if nobody asks; 0 = no need
    owner_lock: int = big_int(default=0)  # what the owner holds while it lives (presence); 0 = only the lease tells
    claimed_at: float = moment(default=0.0)  # whoever was served longest ago is next


class StripeConnection(SQLModel, table=True):
    """A Stripe account and mode, seen from one Kommo account. ``id`` is opaque: it stands in the webhook URL."""

    __tablename__ = "stripe_connection"
    id: str = Field(primary_key=True)
    account_id: int | None = big_int(default=None, nullable=True, index=True)
    source: str = "admin"  # admin | environment
    livemode: bool = False
    label: str = ""
    state: str = "active"  # active | draining | removed: only the row is left, for the payments made by it
    api_key: str = ""  # sealed for "stripe_connection:{id}:api_key"
    endpoint_id: str = ""
    endpoint_version: str = ""
    endpoint_url: str = ""  # with the version and the events as Stripe has them, not as they should be
    endpoint_events: list[str] = document(default_factory=list)
    endpoint_tries: int = 0  # faults of Stripe's own that its idempotency key would replay; a part of the next key
    webhook_secrets: list[str] = document(default_factory=list)  # each sealed for "…:webhook_secret"
    given_secrets: list[str] = document(default_factory=list)  # the same, given by hand
    reference_policy: str = "trust"  # trust | suggest: may a bare client_reference_id name a deal?
    problem: str = ""
    heard_to: float = moment(default=0.0)  # Stripe's list of events was read up to here; 0 = it begins now


class SetupLink(SQLModel, table=True):
    """A way into the set-up pages, good once and for a minute. Only the secret's digest is here."""

    __tablename__ = "setup_link"
    digest: str = Field(primary_key=True)
    account_id: int = big_int()
    user_id: int = big_int()
    role: str = "administrator"  # administrator | finance, as Kommo and the options said when it was made
    language: str = ""  # Kommo's, of the user
    expires_at: float = moment()


class SetupSession(SQLModel, table=True):
    """Somebody in the set-up pages. Only the cookie's digest is here, and without this row a cookie opens nothing."""

    __tablename__ = "setup_session"
    digest: str = Field(primary_key=True)
    account_id: int | None = big_int(default=None, nullable=True, index=True)  # None = the operator, who sees all
    user_id: int = big_int(default=0)
    role: str = "administrator"  # administrator | finance; the operator has no account
    language: str = ""
    token_digest: str = ""  # of the operator's ADMIN_TOKEN, keyed by the cookie: with another one the session is over
    ends_at: float = moment()
    checked_at: float = moment(default=0.0)  # when Kommo last confirmed the user's role
    seen_at: float = moment(default=0.0)  # when the session was last used, within a minute


class WidgetSeen(SQLModel, table=True):
    """Whose widget called last, for the set-up page to say that it is alive."""

    __tablename__ = "widget_seen"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    user_id: int = big_int()
    at: float = moment()


class Audit(SQLModel, table=True):
    """Who did what, and what it was before."""

    id: int | None = Field(default=None, primary_key=True)
    at: float = moment()
    account_id: int | None = big_int(default=None, nullable=True, index=True)
    who: str
    what: str
    before: dict[str, Any] = document(default_factory=dict)
    after: dict[str, Any] = document(default_factory=dict)
