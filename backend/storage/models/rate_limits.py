"""How fast Kommo may be asked: one row for each account and one for our outgoing address, shared by all processes."""

from sqlmodel import SQLModel

from backend.storage.models.columns import big_int, moment

ADDRESS = 0
"""In place of an account: everything that leaves by our address."""


class Rate(SQLModel, table=True):
    """``next_at`` is the first moment that nobody has taken yet."""

    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    next_at: float = moment(default=0.0)
    hold_until: float = moment(default=0.0)  # Kommo asked for patience: nobody asks anything before this moment
    refusals: int = 0  # times in a row that it did; each doubles the wait
    blocked_at: float = moment(default=0.0)  # of the address: Kommo answers nothing at all since then; 0 = it does
    probe_at: float = moment(default=0.0)  # behind a block one call may go at this moment
