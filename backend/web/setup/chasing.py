"""The reminders' form: its values for an account, and saving what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.accounts.preferences import put_options
from backend.automation.reminders.settings import MOST_RULES, Chasing, chasing_of, check_chasing, put_chasing
from backend.core.errors import FieldInvalid
from backend.core.sentences.said import said
from backend.resources import Resources

QUIET = "quiet_"
"""Prefix of a stage's id in the name of its checkbox."""
NUMBERS = ("hour", "overdue_days", "escalate_days", "escalate_to")


@dataclass(frozen=True, slots=True)
class Row:
    """A reminder in the form: ``days`` before or after the due date (``when``); without a ``channel`` there is no
    reminder.
    """

    n: int
    channel: str = ""
    days: str = ""
    when: str = "after"


@dataclass(frozen=True, slots=True)
class Shown:
    """The account's reminder settings and the form's rows."""

    chasing: Chasing
    rows: tuple[Row, ...]


async def shown_chasing(resources: Resources, account_id: int, typed: Mapping[str, str]) -> Shown:
    """Return the form's values; after a refused save the typed ones."""
    async with resources.database.read() as session:
        chasing, _ = await chasing_of(session, account_id)
    rows = [_row(n, rule.days, rule.channel) for n, rule in enumerate(chasing.rules, 1)]
    if typed:
        rows = [
            Row(n, *(typed.get(f"rule_{n}_{name}", "") for name in ("channel", "days", "when")))
            for n in range(1, MOST_RULES + 1)
        ]
    return Shown(chasing, (*rows, *(Row(n) for n in range(len(rows) + 1, MOST_RULES + 1))))


def _row(n: int, days: int, channel: str) -> Row:
    return Row(n, channel, str(abs(days)), "before" if days < 0 else "after")


async def save_chasing(resources: Resources, account_id: int, typed: Mapping[str, str], who: str) -> str:
    """Save the form and return ''. Every value is checked before any is stored. Raises ``FieldInvalid``."""
    chosen: dict[str, Any] = {name: _number(typed.get(name, ""), name) for name in NUMBERS}
    chosen["rules"] = [_rule(typed, n) for n in range(1, MOST_RULES + 1) if typed.get(f"rule_{n}_channel")]
    are_shown = "quiet_shown" in typed
    if are_shown:
        chosen["quiet_stages"] = [
            _number(one.removeprefix(QUIET), "quiet_stages") for one in typed if _is_ticked(typed, one)
        ]
    check_chasing(chosen)
    await put_options(resources, account_id, {"debt_tags": typed.get("debt_tags") == "on"}, who=who)
    await put_chasing(resources, account_id, chosen, who=who, keeps_stages=not are_shown)
    return ""


def _is_ticked(typed: Mapping[str, str], name: str) -> bool:
    return name.startswith(QUIET) and name != "quiet_shown" and typed[name] == "on"


def _rule(typed: Mapping[str, str], n: int) -> dict[str, Any]:
    days = _number(typed.get(f"rule_{n}_days", ""), "rules")
    return {
        "days": -days if typed.get(f"rule_{n}_when") == "before" else days,
        "channel": typed[f"rule_{n}_channel"],
    }


def _number(text: str, field: str) -> int:
    text = text.strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise FieldInvalid(said("whole_number"), field=field)
    return int(text)
