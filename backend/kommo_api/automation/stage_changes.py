"""Stage entries of deals in Kommo's events feed (docs/facts/kommo-automation.md 7)."""

from backend.kommo_api.scalars import Row, required, row, rows, whole, whole_or
from backend.kommo_api.values import StageChange


def stage_change(given: Row) -> StageChange:
    """The stage entry in an event of type ``lead_status_changed`` or ``lead_added``.

    Raises ``Unreadable`` without a deal or a time (docs/facts/kommo-automation.md 7).
    """
    after = next((row(one.get("lead_status")) for one in rows(given.get("value_after"))), {})
    status, pipeline = whole_or(after.get("id"), 0), whole_or(after.get("pipeline_id"), 0)
    return StageChange(
        lead_id=whole(required(given, "entity_id")),
        at=float(whole(required(given, "created_at"))),
        stage=(pipeline, status) if pipeline and status else None,
        by=whole_or(given.get("created_by"), 0),
    )
