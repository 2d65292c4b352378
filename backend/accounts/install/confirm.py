"""The operator's confirmation of a code's host and of another account of an integration."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import and_, or_, update
from sqlmodel import col

from backend.accounts.install.pending import OPERATOR, OpenInstall, waiting_answers
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import PendingInstall


async def confirm(resources: Resources, client_id: str, base_url: str, subdomain: str) -> None:
    """Mark the pending codes and answers of this account as confirmed by the operator.

    ``base_url``: the host of its codes; ``subdomain``: the account that Kommo named in an answer.
    """
    label = subdomain.strip().lower().partition(".")[0]
    is_code = and_(col(PendingInstall.kind) == "code", col(PendingInstall.base_url) == base_url)
    is_answer = and_(col(PendingInstall.account_id).is_not(None), col(PendingInstall.subdomain) == label)
    chosen = update(PendingInstall).where(col(PendingInstall.client_id) == client_id, or_(is_code, is_answer))
    async with resources.database.write() as session:
        await session.exec(chosen.values(origin=OPERATOR))


async def confirmed_answers(resources: Resources, client_id: str) -> list[OpenInstall]:
    """The pending answers of accounts that the operator confirmed."""
    return [one for one in await waiting_answers(resources, client_id) if one.is_confirmed]


def unconfirmed(resources: Resources, codes: Sequence[OpenInstall]) -> str:
    """A notice for the operator about codes from unconfirmed hosts, or '' if ``codes`` is empty."""
    if not codes:
        return ""
    hosts = sorted({urlsplit(one.base_url).netloc for one in codes})[:3]
    place = f"{resources.addresses.public_url}/admin/accounts"
    return said("installation_waits", hosts=" and ".join(hosts), address=place)
