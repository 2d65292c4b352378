"""An admin's session is a right on loan: Kommo is asked again whether the user is still an administrator.

Before every change it is asked at once; for reading, its last word may be a minute old. While Kommo gives no answer
nothing is shown and nothing is changed.
"""

from sqlalchemy import delete, update
from sqlmodel import col

from backend.accounts.tokens.call import with_kommo
from backend.admin.sign_ins import note_failure
from backend.core.errors import KommoUnreachable, NotAllowed, NotConnected
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.resources import Resources
from backend.storage.models import SetupSession

READING_SECONDS = 60.0
IDLE_SECONDS = 1800.0


async def check_admin(resources: Resources, account_id: int, user_id: int) -> None:
    """Raises unless Kommo says now, uncached, that the user is an active administrator."""
    door = f"{resources.addresses.public_url}/admin"
    try:
        found = await with_kommo(resources, account_id, lambda api: api.user(user_id))
    except KommoForbidden as error:
        raise NotConnected(
            "The user who connected Kommo is no administrator any more, so Kommo does not tell this server who is. "
            f"Install the integration again as an administrator, or let the operator press Connect again at {door}."
        ) from error
    except NotConnected as error:
        raise NotConnected(
            "Kommo is not connected any more. Install the integration again in Kommo; where that alone does not help, "
            f"the operator of this server presses Connect again at {door}."
        ) from error
    except KommoError as error:
        raise KommoUnreachable(
            "Kommo could not be asked whether you are an administrator. Nothing was changed. Try again in a moment; "
            f"the operator of this server can enter at {door}."
        ) from error
    if found is None or not (found.is_admin and found.is_active):
        raise NotAllowed("Only an administrator of this Kommo account may open the set-up.")


async def renew(resources: Resources, row: SetupSession, *, changing: bool) -> None:
    """Confirm the right of an admin's session and note that it is in use; a lost right ends the user's sessions."""
    now = resources.clock()
    is_admins = row.account_id is not None
    if is_admins and (changing or row.checked_at + READING_SECONDS < now):
        await _confirm(resources, row)
        row.checked_at = now
    elif row.seen_at + READING_SECONDS > now:
        return
    async with resources.database.write() as session:
        mine = update(SetupSession).where(col(SetupSession.digest) == row.digest)
        await session.exec(mine.values(seen_at=now, checked_at=row.checked_at))


async def _confirm(resources: Resources, row: SetupSession) -> None:
    try:
        await check_admin(resources, row.account_id or 0, row.user_id)
    except NotAllowed:
        theirs = (col(SetupSession.account_id) == row.account_id, col(SetupSession.user_id) == row.user_id)
        async with resources.database.write() as session:
            await session.exec(delete(SetupSession).where(*theirs))
        who = f"Kommo user {row.user_id}"
        await note_failure(resources, "session", "", account_id=row.account_id, who=who)
        raise
