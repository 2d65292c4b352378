"""What a failure leaves in the log: where it happened, and nothing of what was at hand there."""

import io
import re
from collections.abc import Iterator

import pytest
import structlog

from backend.core.logs import set_up_logs
from backend.core.telemetry.lines import LINES
from tests.docs.text import ROOT

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


PROSE = {"a", "an", "the", "is", "are", "was", "not", "it", "that", "again", "yet"}


def _log_events() -> list[str]:
    """What each log call of the product is named, in its code."""
    calls = re.compile(r"\blog\.(?:debug|info|warning|error|exception)\(\s*\"([^\"]*)\"")
    code = [file.read_text(encoding="utf-8") for file in (ROOT / "backend").rglob("*.py")]
    return [*LINES, *(event for text in code for event in calls.findall(text))]


def test_a_log_event_is_a_noun_and_a_verb_with_fields_and_never_prose() -> None:
    events = _log_events()
    assert len(events) > 80
    assert [event for event in events if not re.fullmatch(r"[\w-]+( [\w-]+){1,4}", event)] == []
    assert [event for event in events if PROSE & set(event.split())] == []
