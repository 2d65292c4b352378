"""Stores answers of Kommo's token endpoint that an earlier process could not store, at the next start."""

import structlog

from backend.accounts.install.pending import INSTALL_FILE, keep_again
from backend.accounts.tokens.refresh import REFRESH_FILE, store_answer
from backend.kommo_api.errors import KommoError
from backend.resources import Resources
from backend.storage.models import Account

log = structlog.get_logger()


async def take_up_kept_answers(resources: Resources) -> None:
    """Store the answers in sealed files and delete the files. A pair that a newer one replaced is discarded."""
    for name, secret in list(resources.files.left()):
        kind, _, rest = name.partition("-")
        if kind == INSTALL_FILE:
            await keep_again(resources, secret)
        elif kind == REFRESH_FILE:
            await _take_up_refresh(resources, rest, secret)
        resources.files.remove(name)


async def _take_up_refresh(resources: Resources, rest: str, raw: bytes) -> None:
    account_id, _, version = rest.partition("-")
    async with resources.database.read() as session:
        account = await session.get(Account, int(account_id))
    if account is None or account.token_version != int(version):
        return
    try:
        await store_answer(resources, account, raw)
        log.info("kept tokens stored", account=account.id)
    except KommoError as error:
        log.warning("kept tokens discarded", account=account.id, reason=str(error))
