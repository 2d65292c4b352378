"""What a failure leaves in the log: where it happened, and nothing of what was at hand there."""

import io
from collections.abc import Iterator

import pytest
import structlog

from backend.core.logs import set_up_logs

SECRET = "sk_live_a_canary_at_hand"


@pytest.fixture(params=["console", "json"])
def logged(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    written = io.StringIO()
    set_up_logs(request.param)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    yield written
    structlog.reset_defaults()


def test_a_failure_is_logged_without_what_was_at_hand(logged: io.StringIO) -> None:
    def fails(at_hand: str) -> None:
        raise ValueError(f"{len(at_hand)} characters")

    try:
        fails(SECRET)
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "24 characters" in logged.getvalue()
    assert "test_logs.py" in logged.getvalue()
    assert SECRET not in logged.getvalue()
