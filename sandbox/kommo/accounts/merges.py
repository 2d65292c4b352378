"""What the feed of events says of a merge: nobody wrote it down, so it is played in three shapes."""

from typing import Any


def merge_told(shape: str, kept_id: int, gone_id: int) -> dict[str, Any]:
    """The deal at which an ``entity_merged`` stands, and its values (docs/facts/kommo-automation.md 7)."""
    if shape == "at_survivor":
        return {"entity_id": kept_id, "after": [{"entity_merge": {"id": gone_id}}]}
    if shape == "at_gone":
        return {"entity_id": gone_id, "after": [{"lead": {"id": kept_id}}]}
    return {
        "entity_id": gone_id,
        "before": [{"entities": {"lead_ids": [str(gone_id)]}}],
        "after": [{"entities": {"lead_ids": [str(kept_id)]}}],
    }
