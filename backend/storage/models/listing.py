"""The list of all payments and open requests in the admin's app: derived from the ledger, never a source of it."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, moment


class PaymentLine(SQLModel, table=True):
    """A payment's share in one deal, or an unpaid request. ``Deal.listed`` is the revision up to which it is
    current."""

    __tablename__ = "payment_line"
    __table_args__ = (Index("payment_line_newest", "account_id", "livemode", "at", "id", "lead_id"),)
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lead_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(primary_key=True)  # the payment's id at Stripe, or the request's uuid
    is_payment: bool
    livemode: bool
    connection_id: str = ""
    at: float = moment()  # when it was paid, or requested
    currency: str
    amount: int = big_int()
    gone: int = big_int(default=0)  # refunded, or lost in a dispute; never more than the amount
    state: str
    what: str  # single | deposit | rest | subscription | other (not paid by one of our links)
    description: str = ""
    request_id: str | None = None
    contact_id: int | None = big_int(default=None, nullable=True)
    user_id: int = big_int(default=0)  # the user who requested it
    overdue_at: float | None = moment(default=None, nullable=True)  # when its due day ends
    words: str = ""  # lower case, separated by spaces: the text that the search uses
