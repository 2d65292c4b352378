"""Rows from before migration 0010, which sealed kind and client id together with the secret."""

from typing import Any

import orjson
import structlog
from sqlmodel import col, select

from backend.accounts.install.pending import sealed_for
from backend.core.vault import CannotOpen
from backend.resources import Resources
from backend.storage.models import PendingInstall

log = structlog.get_logger()


async def fill_columns(resources: Resources) -> None:
    """Move the sealed kind, client id and refusal of rows from before migration 0010 into their columns.

    A row that cannot be decrypted stays as it is, with a warning in the log: its key may return.
    """
    async with resources.database.write() as session:
        rows = (await session.exec(select(PendingInstall).where(col(PendingInstall.kind) == ""))).all()
        for row in rows:
            try:
                said: dict[str, Any] = orjson.loads(resources.vault.open_text(row.secret, sealed_for(row.id)))
            except CannotOpen as error:
                log.warning("pending row decrypt failed", reason=str(error))
                continue
            row.kind, row.client_id = said["kind"], said["client_id"]
            row.secret = resources.vault.seal_text(said["secret"], sealed_for(row.id))
            row.origin = "settings" if row.kind == "token" else row.origin
            row.problem, row.refused_keys = said.get("problem", ""), said.get("refused", "")
            row.refused_at = said.get("refused_at", 0.0)
            session.add(row)
