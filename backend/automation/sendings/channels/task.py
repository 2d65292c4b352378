"""Sending by a task *send this link*, for the deal's responsible user, or the token's user if that one is inactive."""

from collections.abc import Mapping
from typing import Any

from backend.automation.sendings.channels.step import Call, Step
from backend.automation.sendings.words import task_of
from backend.kommo_api.client import KommoApi
from backend.kommo_api.errors import KommoRefused

DUE_SECONDS = 4 * 3600.0


async def prepare(step: Step) -> Call:
    """Return the call that creates the task for a user, and its text; it is due at once if its time has passed."""
    text = task_of(step.public_url, step.link, step.row.refusals)
    due_at = step.row.created_at + DUE_SECONDS

    async def make(api: KommoApi) -> Mapping[str, Any]:
        return {"task_id": await _made(api, step, text, max(due_at, step.resources.clock()))}

    return Call(make, {"text": text})


async def _made(api: KommoApi, step: Step, text: str, due_at: float) -> int:
    lead = step.lead
    try:
        return await api.create_task(lead.id, text, due_at, lead.responsible_user_id, step.row.id)
    except KommoRefused:  # a user who was switched off, in each of Kommo's ways to say so; nothing was made
        return await api.create_task(lead.id, text, due_at, None, step.row.id)
