"""Hooks that wait to be sent, and when a refused one is sent again (docs/facts/kommo-api.md 12)."""

from dataclasses import dataclass, field

from sandbox.kommo.forms import Form
from sandbox.kommo.records import Json

_SOFT = (300.0, 900.0)
_HARD = (300.0, 900.0, 900.0, 3600.0)
_DIGITAL_PIPELINE = (300.0, 600.0, 900.0, 1800.0)


@dataclass(frozen=True)
class Parcel:
    """One hook: ``form`` for account webhooks, ``json`` for the Digital Pipeline."""

    kind: str
    account_id: int
    url: str
    due: float
    form: Form | None = None
    json: Json | None = None
    webhook_id: int | None = None
    tries: int = 0


@dataclass
class Outbox:
    """``told`` is how many changes and moves of each account were turned into parcels."""

    waiting: list[Parcel] = field(default_factory=list)
    told: dict[int, tuple[int, int]] = field(default_factory=dict)

    def take_due(self, now: float) -> list[Parcel]:
        due = [parcel for parcel in self.waiting if parcel.due <= now]
        self.waiting = [parcel for parcel in self.waiting if parcel.due > now]
        return due


def next_wait(parcel: Parcel, status: int, *, digital_pipeline_repeats: bool) -> float | None:
    """Seconds until the next try after an answer of ``status`` (0 is none at all), or ``None``: given up.

    An account webhook is repeated after 5 and 15 minutes, and after 499 or 5xx once more after 15 minutes and an hour.
    """
    if 100 <= status < 300:
        return None
    waits: tuple[float, ...]
    if parcel.webhook_id is None:
        waits = _DIGITAL_PIPELINE if digital_pipeline_repeats else ()
    else:
        waits = _HARD if status == 499 or status >= 500 else _SOFT
    return waits[parcel.tries] if parcel.tries < len(waits) else None
