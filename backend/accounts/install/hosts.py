"""To which hosts an integration's secret may go: those of its accounts, of the settings, or named by the operator."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.install.pending import OpenInstall
from backend.core.errors import BadCallback, FieldInvalid
from backend.core.sentences.said import said
from backend.kommo_api.hosts import BadReferer, kommo_host
from backend.resources import Resources
from backend.storage.models import Account, Integration


def trusted_host(resources: Resources, referer: str) -> str:
    """The base URL of the account that ``referer`` names. It has the form of a Kommo address, which proves nothing yet.

    Raises ``BadCallback`` for any other host.
    """
    try:
        return kommo_host(referer, resources.addresses.kommo_base_url)
    except BadReferer:
        raise BadCallback(said("address_not_kommos")) from None


def named_host(resources: Resources, subdomain: object) -> str:
    """The base URL of an account that the operator names by its subdomain or its whole host. Raises
    ``FieldInvalid``."""
    if isinstance(subdomain, str):
        for host in (subdomain.strip(), f"{subdomain.strip()}.kommo.com"):
            try:
                return kommo_host(host, resources.addresses.kommo_base_url)
            except BadReferer:
                continue
    raise FieldInvalid(said("subdomain_wrong"), field="subdomain")


def settings_host(resources: Resources) -> str | None:
    """The base URL from the settings: KOMMO_BASE_URL without ``{subdomain}``, or that of KOMMO_SUBDOMAIN; else None."""
    if "{subdomain}" not in resources.addresses.kommo_base_url:
        return resources.addresses.kommo_base_url
    return trusted_host(resources, f"{resources.kommo_subdomain}.kommo.com") if resources.kommo_subdomain else None


async def proven_hosts(resources: Resources, client_id: str) -> set[str]:
    """The base URLs that may get the integration's secret: its accounts' and the one that the operator confirmed.

    Without either it is the host of the settings, if there is one.
    """
    async with resources.database.read() as session:
        integration = await session.get(Integration, client_id)
        hosts = {account.base_url for account in await accounts_of(session, client_id)}
    if integration is not None and integration.base_url:
        hosts.add(integration.base_url)
    named = settings_host(resources)
    return hosts or ({named} if named else set())


async def accounts_of(session: AsyncSession, client_id: str) -> list[Account]:
    """The accounts that this integration connected, then the one that it belongs to if it is not among them.

    [] for '' and for an integration that is unknown and connected none.
    """
    integration = await session.get(Integration, client_id)
    theirs = (await session.exec(select(Account).where(col(Account.client_id) == client_id))).all() if client_id else []
    own = await session.get(Account, integration.account_id) if integration and integration.account_id else None
    return [*theirs, *([own] if own and own.id not in {one.id for one in theirs} else [])]


async def usable(resources: Resources, client_id: str, codes: list[OpenInstall]) -> list[OpenInstall]:
    """Those of ``codes`` whose host may get the integration's secret: a proven host, or any host if the operator or the
    environment vouches for the code.
    """
    hosts = await proven_hosts(resources, client_id)
    return [one for one in codes if one.is_confirmed or one.base_url in hosts]
