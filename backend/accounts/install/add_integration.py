"""An integration's keys arrive: from an admin, with a code or for a code that waits. Wrong keys are not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.accounts.install.activate import activate
from backend.accounts.install.callback import CodeRefused, KeysRefused, exchange, trusted_host, use_codes
from backend.accounts.install.pending import OpenInstall, waiting_codes
from backend.accounts.integrations import Keys, given_keys, note, put_integration
from backend.core.errors import FieldInvalid, ProductError
from backend.resources import Resources
from backend.storage.models import Account, Integration


@dataclass(frozen=True, slots=True)
class Added:
    """``problem``: why the code that waited did not connect the account; empty where it did, or where none waited."""

    integration: Integration
    account: Account | None = None
    problem: str = ""


async def add_integration(resources: Resources, client_id: str, given: Mapping[str, Any], *, who: str) -> Added:
    """``{"client_secret", "redirect_uri"?, "label"?, "code"?, "subdomain"?}``: kept, unless Kommo refuses them."""
    keys = await given_keys(resources, client_id, given)
    code, label = given.get("code"), given.get("label") or ""
    for name, value in (("code", code or ""), ("label", label)):
        if not isinstance(value, str) or "\x00" in value:
            raise FieldInvalid(f"The {name} is text.", field=name)
    pending = await waiting_codes(resources, client_id)
    if code:
        added = await _with_code(resources, keys, label, await _host(resources, client_id, given, pending), code)
    elif not pending:
        added = Added(await _put(resources, keys, label))
    else:
        added = await _with_waiting(resources, keys, label, pending)
    await note(resources, added.integration, who, "integration kept")
    return added


async def _with_code(resources: Resources, keys: Keys, label: str, base_url: str, code: str) -> Added:
    try:
        answer = await exchange(resources, keys, base_url, code.strip())
    except (KeysRefused, CodeRefused) as error:
        raise FieldInvalid(error.message, field=error.field or "code") from error
    await _put(resources, keys, label)  # first: where Kommo is silent now, the answer is adopted later by these keys
    account = await activate(resources, answer)
    return Added(await _put(resources, keys, label, account), account)


async def _with_waiting(resources: Resources, keys: Keys, label: str, pending: Sequence[OpenInstall]) -> Added:
    """What is wrong with a code that came long ago is no reason to refuse the keys."""
    try:
        account, problem = await use_codes(resources, keys, pending), ""
    except KeysRefused as error:
        raise FieldInvalid(error.message, field=error.field) from error
    except ProductError as error:
        account, problem = None, error.message
    return Added(await _put(resources, keys, label, account), account, problem)


async def _put(resources: Resources, keys: Keys, label: str, account: Account | None = None) -> Integration:
    async with resources.database.write() as session:
        row = await put_integration(resources, session, keys, label=label)
        row.account_id = account.id if account else row.account_id
    return row


async def _host(resources: Resources, client_id: str, given: Mapping[str, Any], pending: Sequence[OpenInstall]) -> str:
    """Where a code given by hand is good: as said, else where this integration is known, else the only host."""
    subdomain = given.get("subdomain") or ""
    if not isinstance(subdomain, str):
        raise FieldInvalid("The subdomain is the first word of the account's address in Kommo.", field="subdomain")
    if subdomain:
        return trusted_host(resources, f"{subdomain.removesuffix('.kommo.com')}.kommo.com")
    return await _known_host(resources, client_id, pending)


async def _known_host(resources: Resources, client_id: str, pending: Sequence[OpenInstall]) -> str:
    async with resources.database.read() as session:
        integration = await session.get(Integration, client_id)
        account = await session.get(Account, integration.account_id) if integration and integration.account_id else None
    known = pending[0] if pending else account
    if known is not None:
        return known.base_url
    if "{subdomain}" not in resources.addresses.kommo_base_url:
        return resources.addresses.kommo_base_url
    if resources.kommo_subdomain:
        return trusted_host(resources, f"{resources.kommo_subdomain}.kommo.com")
    raise FieldInvalid("Say which account the code is of: send its `subdomain`.", field="subdomain")
