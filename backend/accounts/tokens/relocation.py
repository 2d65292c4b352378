"""Finds an account whose subdomain changed in Kommo, by its id (docs/facts/kommo-api.md 2)."""

import structlog
from sqlalchemy import update
from sqlmodel import col

from backend.accounts.tokens.sealed import api_of, open_pair
from backend.kommo_api.auth.oauth import CurrentHost, current_subdomain
from backend.kommo_api.auth.tokens import token_api_domain
from backend.kommo_api.errors import KommoError
from backend.kommo_api.hosts import BadReferer, kommo_host
from backend.resources import Resources
from backend.storage.models import Account

log = structlog.get_logger()


async def moved_host(resources: Resources, account: Account) -> str | None:
    """The account's new base URL by Kommo, or None if it has not moved or Kommo does not tell."""
    template = resources.addresses.kommo_base_url
    pair = open_pair(resources, account)
    domain = token_api_domain(pair.access_token)
    if "{subdomain}" not in template or not pair.refresh_token or domain is None:
        return None
    try:
        async with resources.turn(account.id):
            said = await current_subdomain(resources.kommo_http, kommo_host(domain, template), pair.refresh_token)
        host = kommo_host(_domain(said), template)
    except (KommoError, BadReferer) as error:
        log.warning("account relocation unknown", account=account.id, reason=str(error))
        return None
    return host if said.account_id == account.id and host != account.base_url else None


def _domain(said: CurrentHost) -> str:
    return said.domain or f"{said.subdomain}.kommo.com"


async def follow(resources: Resources, account: Account, base_url: str) -> Account:
    """Store the account's new base URL and return the account."""
    log.warning("account relocated", account=account.id, host=base_url)
    async with resources.database.write() as session:
        await session.exec(update(Account).where(col(Account.id) == account.id).values(base_url=base_url))
        return await session.get_one(Account, account.id, populate_existing=True)


async def check_named_host(resources: Resources, account: Account, subdomain: str) -> None:
    """Follow a widget token's unknown subdomain, if the account's own token confirms that the account is there."""
    template = resources.addresses.kommo_base_url
    if not subdomain or subdomain == account.subdomain or "{subdomain}" not in template:
        return
    try:
        host = kommo_host(f"{subdomain}.kommo.com", template)
        if host != account.base_url and (await api_of(resources, account, base_url=host).account()).id == account.id:
            await follow(resources, account, host)
    except (KommoError, BadReferer) as error:
        log.info("account host rejected", account=account.id, reason=str(error))
