"""An account's logo: uploaded by an administrator, checked, stored, and found by the digest in its URL."""

import hashlib
import re
from collections.abc import Callable, Mapping

from sqlmodel import select

from backend.accounts.branding.jpeg import BEGIN, jpeg
from backend.accounts.branding.picture import NotDrawable, Picture
from backend.accounts.branding.png import SIGNATURE, png
from backend.accounts.branding.webp import webp
from backend.accounts.lookup import account_of
from backend.core.errors import FieldInvalid
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import AccountLogo, Audit
from backend.storage.repeating import repeated
from backend.work_queue.lock_order import account_unit

MOST_BYTES = 200 * 1024
LEAST_SIDE, MOST_SIDE = 16, 1200
KINDS: Mapping[bytes, Callable[[bytes], Picture]] = {SIGNATURE: png, BEGIN: jpeg, b"RIFF": webp}
"""Parsers by first bytes, whatever the file name and content type say. SVG is excluded, because it can run scripts."""
_DIGEST = re.compile("[0-9a-f]{32}")


def checked_logo(data: bytes) -> Picture:
    """The picture in ``data``. Raises ``FieldInvalid`` with what to do instead."""
    if not data:
        raise FieldInvalid(said("logo_missing"), field="logo")
    if len(data) > MOST_BYTES:
        raise FieldInvalid(said("logo_too_big", kib=MOST_BYTES // 1024), field="logo")
    read = next((kind for begin, kind in KINDS.items() if data.startswith(begin)), None)
    try:
        picture = read(data) if read else None
    except NotDrawable:
        raise FieldInvalid(said("logo_damaged"), field="logo") from None
    if picture is None:
        raise FieldInvalid(said("logo_kind"), field="logo")
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in (picture.width, picture.height)):
        sides = {"width": picture.width, "height": picture.height, "least": LEAST_SIDE, "most": MOST_SIDE}
        raise FieldInvalid(said("logo_size", **sides), field="logo")
    return picture


@repeated
async def put_logo(resources: Resources, account_id: int, data: bytes, *, who: str) -> None:
    """Store the picture in place of the previous one. Raises ``FieldInvalid`` and ``AccountNotFound``."""
    picture = checked_logo(data)
    digest = hashlib.sha256(picture.body).hexdigest()[:32]
    async with account_unit(resources.database, account_id) as session:
        account = await account_of(session, account_id)
        before, account.logo = account.logo, {"digest": digest, "width": picture.width, "height": picture.height}
        session.add(account)
        row = AccountLogo(account_id=account_id, digest=digest, content_type=picture.content_type, body=picture.body)
        await session.merge(row)
        session.add(_said(resources, account_id, who, before, account.logo))


@repeated
async def remove_logo(resources: Resources, account_id: int, *, who: str) -> None:
    """Remove the account's logo; its URL stops working. Raises ``AccountNotFound``."""
    async with account_unit(resources.database, account_id) as session:
        account = await account_of(session, account_id)
        before, account.logo = account.logo, {}
        session.add(account)
        row = await session.get(AccountLogo, account_id)
        if row is not None:
            await session.delete(row)
        session.add(_said(resources, account_id, who, before, {}))


async def logo_by(resources: Resources, digest: str) -> AccountLogo | None:
    """The stored logo with this digest (32 hex digits), or None."""
    if not _DIGEST.fullmatch(digest):
        return None
    async with resources.database.read() as session:
        found = await session.exec(select(AccountLogo).where(AccountLogo.digest == digest).limit(1))
        return found.first()


def _said(resources: Resources, account_id: int, who: str, before: object, after: object) -> Audit:
    return Audit(
        at=resources.clock(),
        account_id=account_id,
        who=who,
        what="logo",
        before={"logo": before},
        after={"logo": after},
    )
