"""Records of sign-ins and refused sign-ins: one log line and one audit row each."""

import structlog

from backend.core.telemetry.lines import note
from backend.resources import Resources
from backend.storage.models import Audit

log = structlog.get_logger()


async def note_sign_in(resources: Resources, *, account_id: int | None, who: str, address: str) -> None:
    """Record a sign-in in the log and the audit log; ``account_id`` None: the operator. ``address``: the IP address."""
    note("user signed in", who=who, account=account_id, address=address)
    said = Audit(at=resources.clock(), account_id=account_id, who=who, what="signed in", after={"address": address})
    async with resources.database.write() as session:
        session.add(said)


async def note_failure(
    resources: Resources, door: str, address: str, *, account_id: int | None = None, who: str = "unknown",
    is_first: bool = True,
) -> None:  # fmt: skip
    """Record a refused sign-in; only the first of an address and minute is a row, or guessing would fill the
    database.
    """
    log.warning("sign-in refused", door=door, who=who, account=account_id, address=address)
    if not is_first:
        return
    after = {"door": door, "address": address}
    said = Audit(at=resources.clock(), account_id=account_id, who=who, what="sign-in refused", after=after)
    async with resources.database.write() as session:
        session.add(said)
