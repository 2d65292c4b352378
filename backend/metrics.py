"""What we count, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY = CollectorRegistry()

INBOX_PENDING = Gauge("inbox_pending", "Events stored and not yet worked in.", registry=REGISTRY)
INBOX_OLDEST = Gauge("inbox_oldest_seconds", "Age of the oldest event that waits.", registry=REGISTRY)
KOMMO_CALLS = Counter("kommo_calls", "Calls to Kommo by status; 0 = no answer.", ["status"], registry=REGISTRY)
KOMMO_429 = Counter("kommo_429", "Times that Kommo said: too many requests.", registry=REGISTRY)
WRITES = Counter("writes", "Writes to deal cards.", ["kind", "result"], registry=REGISTRY)
TOKEN_AGE = Gauge("token_age_seconds", "Age of an account's access token.", ["account"], registry=REGISTRY)


def kommo_answered(status: int | None, _seconds: float) -> None:
    """Told by the Kommo client after each call."""
    KOMMO_CALLS.labels(status=str(status or 0)).inc()
    if status == 429:
        KOMMO_429.inc()
