"""State that running processes publish for each other."""

from sqlalchemy import Double
from sqlmodel import Field, SQLModel

from backend.storage.models.columns import moment


class WorkerBeat(SQLModel, table=True):
    """A worker that looked for work at ``at``; the row is deleted when it stops."""

    __tablename__ = "worker_beat"
    owner: str = Field(primary_key=True)
    started_at: float = moment()
    at: float = moment()


class ProcessClock(SQLModel, table=True):
    """Seconds by which the clock of a process is ahead of the database's. ``seen_at`` is in the database's time."""

    __tablename__ = "process_clock"
    owner: str = Field(primary_key=True)
    ahead: float = Field(sa_type=Double)
    seen_at: float = moment()


class Counted(SQLModel, table=True):
    """A counter of ``/metrics``, summed over all processes that ever ran. ``labels``: a JSON object."""

    name: str = Field(primary_key=True)
    labels: str = Field(primary_key=True)
    value: float = Field(default=0.0, sa_type=Double)
