"""Payment requests, Stripe's events, and the ledger built from them."""

from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment, partial_index, sealed_bytes

UNFINISHED = "state IN ('new', 'postponed', 'dead')"
PRUNABLE = "(state = 'done' AND body IS NOT NULL) OR state IN ('foreign', 'ignored')"
ENDS = "end_try_at IS NOT NULL"
REMINDS = "remind_at IS NOT NULL"
"""Conditions of partial indexes. SQLite uses such an index only if the statement repeats the condition."""


class PaymentRequest(SQLModel, table=True):
    """An amount requested for a deal, one press of the button. ``id`` is the UUID that the widget created."""

    __tablename__ = "payment_request"
    __table_args__ = (
        partial_index("payment_request_ends", ENDS, "account_id", "end_try_at"),
        partial_index("payment_request_reminds", REMINDS, "account_id", "remind_at"),
        Index("payment_request_of_deal", "account_id", "lead_id"),
        Index("payment_request_of_contact", "account_id", "contact_id"),
    )
    account_id: int = big_int(primary_key=True)
    id: str = Field(primary_key=True)
    connection_id: str = ""  # empty until Stripe created the first session: not shown anywhere yet
    lead_id: int = big_int()
    contact_id: int | None = big_int(default=None, nullable=True)
    amount: int = big_int()
    currency: str
    description: str
    mode: str = "payment"  # payment | subscription
    interval: str | None = None
    interval_count: int | None = None
    kind: str = "full"  # full | deposit | rest
    deal_total: int | None = big_int(default=None, nullable=True)
    content: str  # fingerprint of the request: the same UUID with other content is a conflict
    user_id: int = big_int(default=0)
    email: str | None = None  # sealed for "payment_request:{account}:{id}:email"; only where the admin prefills
    link_token: str = Field(unique=True)
    session_n: int = 0  # number of the current session; grows by compare-and-set
    tries: int = 0  # errors that Stripe would replay for the same idempotency key; part of the next key
    stage_seen: int | None = big_int(default=None, nullable=True)  # the deal's stage at the request
    created_at: float = moment()
    due_on: str | None = None  # ISO day, in the account's time zone
    expires_at: float | None = moment(default=None, nullable=True)  # end of its link: the midnight after its last day
    end_try_at: float | None = moment(default=None, nullable=True)  # when to expire it at Stripe; None: nothing to do
    remind_at: float | None = moment(default=None, nullable=True)  # when to check for a due reminder; None: never
    ended_at: float | None = moment(default=None, nullable=True)  # when its last session was expired at Stripe
    cancelled_at: float | None = moment(default=None, nullable=True)
    replaced_by: str | None = None
    opened_at: float | None = moment(default=None, nullable=True)  # first time a client opened the link


class CheckoutSession(SQLModel, table=True):
    """A Checkout Session that we created. Its states are in the ledger; this row has the data that the link needs."""

    __tablename__ = "checkout_session"
    connection_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    account_id: int = big_int()
    request_id: str = Field(index=True)
    n: int
    url: str
    expires_at: float = moment()
    made_at: float = moment()


class DealStatement(SQLModel, table=True):
    """A deal's permanent page for the client."""

    __tablename__ = "deal_statement"
    account_id: int = big_int(primary_key=True)
    lead_id: int = big_int(primary_key=True)
    token: str = Field(unique=True)


class RefundRequest(SQLModel, table=True):
    """A refund that a rep requested; the row is stored before the call.

    ``id``, the widget's UUID, is the idempotency key; ``tries`` is added once the first call is known to have failed.
    """

    __tablename__ = "refund_request"
    account_id: int = big_int(primary_key=True)
    id: str = Field(primary_key=True)
    connection_id: str
    payment_id: str = Field(index=True)
    amount: int = big_int()
    currency: str
    content: str  # fingerprint of the refund: the same UUID with other content is a conflict
    user_id: int = big_int(default=0)
    created_at: float = moment()
    tries: int = 0  # idempotency keys that failed for good
    tried_at: float = moment(default=0.0)  # when the current key was first used
    refund_id: str = ""  # empty until Stripe answered


class InboxEvent(SQLModel, table=True):
    """An event as Stripe sent it: stored before the webhook is answered, processed later, kept with the result."""

    __tablename__ = "inbox_event"
    __table_args__ = (
        partial_index("inbox_open", UNFINISHED, "connection_id", "next_try_at", "received_at", "state"),
        partial_index("inbox_prunable", PRUNABLE, "received_at"),
        Index("inbox_received", "connection_id", "received_at", "id"),
    )
    connection_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    type: str
    api_version: str = ""
    body: bytes | None = sealed_bytes(default=None, nullable=True)  # compressed and sealed; removed from foreign events
    received_at: float = moment()
    state: str = "new"  # new | done | foreign | ignored | postponed | dead
    source: str = "webhook"  # webhook | list (no webhook brought it) | crowd (as list, with many other deals)
    attempts: int = 0
    next_try_at: float = moment(default=0.0)
    error: str = ""


class LedgerEntry(SQLModel, table=True):
    """All facts about one Stripe object (pi_, cs_, in_, sub_, re_, du_), merged, and the deal that it belongs to."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index("ledger_of_deal", "account_id", "lead_id"),
        Index("ledger_of_account", "account_id", "id"),
        partial_index("ledger_of_request", "request_id IS NOT NULL", "account_id", "request_id"),
    )
    connection_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    kind: str  # payment | session | invoice | subscription | refund | dispute
    facts: dict[str, Any] = document(default_factory=dict)
    account_id: int | None = big_int(default=None, nullable=True)
    ours: bool = False
    lead_id: int | None = big_int(default=None, nullable=True)
    request_id: str | None = None


class LedgerLink(SQLModel, table=True):
    """``child`` belongs to ``parent``: a payment to its session and invoice, a refund to its payment."""

    __tablename__ = "ledger_link"
    # The child is part of the index, because SQLite without statistics prefers the primary key, which covers the query,
    # and then reads all links of the connection.
    __table_args__ = (Index("ledger_link_parent", "connection_id", "parent", "child"),)
    connection_id: str = Field(primary_key=True)
    child: str = Field(primary_key=True)
    parent: str = Field(primary_key=True)
