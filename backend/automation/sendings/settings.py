"""An administrator's settings for sending, and the effect of switching it off."""

from collections.abc import Mapping
from typing import Any

from backend.accounts.preferences import put_options
from backend.automation.sendings.store import drop_waiting
from backend.resources import Resources
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit


async def put_sending(resources: Resources, account_id: int, given: Mapping[str, Any], *, who: str) -> dict[str, Any]:
    """Store options and return all of them with ``mode``. Raises as ``put_options`` does.

    When automatic sending is switched off, nothing more is begun; waiting sendings are dropped, and switching it on
    later sends none of them.
    """
    saved = await put_options(resources, account_id, given, who=who)
    if given.get("send_automatically") is False:
        await _drop(resources, account_id)
    return saved


@repeated
async def _drop(resources: Resources, account_id: int) -> None:
    async with account_unit(resources.database, account_id) as session:
        await drop_waiting(session, account_id, "switched_off")
