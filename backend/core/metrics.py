"""Metrics for Prometheus. The database sums the counters over all processes (``storage.counters``)."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily

GAUGES = CollectorRegistry()
REGISTRY = CollectorRegistry()

INBOX_PENDING = Gauge("inbox_pending", "Events stored and not yet processed.", registry=GAUGES)
INBOX_OLDEST = Gauge("inbox_oldest_seconds", "Age of the oldest waiting event.", registry=GAUGES)
KOMMO_BLOCKED = Gauge(
    "kommo_blocked_seconds", "Time since Kommo blocked our address; 0 = not blocked.", registry=GAUGES
)
TOKEN_AGE = Gauge("token_age_seconds", "Age of an account's access token.", ["account"], registry=GAUGES)
KOMMO_CALLS = Counter("kommo_calls", "Calls to Kommo by status; 0 = no answer.", ["status"], registry=REGISTRY)
KOMMO_429 = Counter("kommo_429", "Answers of Kommo with status 429, too many requests.", registry=REGISTRY)
WRITES = Counter("writes", "Writes to deal cards.", ["kind", "result"], registry=REGISTRY)

Sums = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""(name of the counter, its labels) → value."""
_taken: Sums = {}


def kommo_answered(status: int | None, _seconds: float) -> None:
    """Count an answer of Kommo by its status; None means no answer."""
    KOMMO_CALLS.labels(status=str(status or 0)).inc()
    if status == 429:
        KOMMO_429.inc()


def take() -> Sums:
    """Return the counts since the last call. A caller that can't store them returns them by ``give_back``."""
    totals = {
        (family.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    new = {key: value - _taken.get(key, 0.0) for key, value in totals.items()}
    _taken.update(totals)
    return {key: value for key, value in new.items() if value}


def give_back(counts: Sums) -> None:
    """Put counts that could not be stored back, so that the next ``take`` includes them."""
    for key, value in counts.items():
        _taken[key] -= value


class Summed:
    """A Prometheus collector of the counters, summed over all processes."""

    def __init__(self, sums: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]) -> None:
        self._sums = sums

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Yield each counter with the sums of its labels."""
        for family in REGISTRY.collect():
            summed = CounterMetricFamily(family.name, family.documentation)
            sums = {labels: value for (name, labels), value in self._sums.items() if name == family.name}
            if family.name == "kommo_429":
                sums.setdefault((), 0.0)
            for labels, value in sorted(sums.items()):
                summed.add_sample(f"{family.name}_total", dict(labels), value)
            yield summed
