"""State of the rate limiter: one row per account and one for our outgoing address, shared by all processes."""

from sqlmodel import SQLModel

from backend.storage.models.columns import big_int, moment

ADDRESS = 0
"""Account id of the row for all requests from our address."""


class Rate(SQLModel, table=True):
    """The next free slot of an account or of our address, and Kommo's refusals."""

    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    next_at: float = moment(default=0.0)
    awake_since: float = moment(default=0.0)  # the first slot after a silence; the next ones begin with it
    hold_until: float = moment(default=0.0)  # Kommo asked us to wait: no request before this time
    refusals: int = 0  # refusals in a row; each doubles the wait
    blocked_at: float = moment(default=0.0)  # since when Kommo blocks our address; 0 = it does not
    probe_at: float = moment(default=0.0)  # when one call may probe the block
