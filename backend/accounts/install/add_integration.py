"""An integration's keys arrive, or the operator confirms who may connect by it. Wrong keys are not kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.accounts.install.activate import activate
from backend.accounts.install.confirm import confirm, confirmed_answers, unconfirmed
from backend.accounts.install.exchange import CodeRefused, KeysRefused, exchange
from backend.accounts.install.hosts import accounts_of, named_host, settings_host, usable
from backend.accounts.install.pending import OPERATOR, waiting_codes
from backend.accounts.install.use_codes import use_codes
from backend.accounts.integrations import Keys, given_keys, note, put_integration
from backend.core.errors import FieldInvalid, ProductError
from backend.resources import Resources
from backend.storage.models import Account, Integration


@dataclass(frozen=True, slots=True)
class Added:
    """``problem``: why what waited did not connect the account; empty where it did, or where nothing waited."""

    integration: Integration
    account: Account | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    keys: Keys
    label: str
    host: str
    """The base URL that the operator names, and by naming it confirms; empty where none is."""


async def add_integration(resources: Resources, client_id: str, given: Mapping[str, Any], *, who: str) -> Added:
    """``{"client_secret", "redirect_uri"?, "label"?, "code"?, "subdomain"?}``: kept, unless Kommo refuses them.

    ``subdomain`` confirms the account: what waits for a yes to it connects. Of a known integration it may come alone.
    """
    keys = await given_keys(resources, client_id, given)
    code, label = given.get("code"), given.get("label") or ""
    for name, value in (("code", code or ""), ("label", label)):
        if not isinstance(value, str) or "\x00" in value:
            raise FieldInvalid(f"The {name} is text.", field=name)
    new = _Given(keys, label, named_host(resources, given["subdomain"]) if given.get("subdomain") else "")
    if code:
        added = await _with_code(resources, new, code.strip())
    else:
        if new.host:
            await confirm(resources, client_id, new.host, given["subdomain"])
        added = await _with_waiting(resources, new)
    await note(resources, added.integration, who, "integration kept")
    return added


async def _with_code(resources: Resources, new: _Given, code: str) -> Added:
    base_url = new.host or await _known_host(resources, new.keys.client_id)
    try:
        answer = await exchange(resources, new.keys, base_url, code, origin=OPERATOR)
    except (KeysRefused, CodeRefused) as error:
        raise FieldInvalid(error.message, field=error.field or "code") from error
    await _put(resources, new)  # first: where Kommo is silent now, the answer is adopted later by these keys
    account = await activate(resources, answer)
    return Added(await _put(resources, new, account), account)


async def _with_waiting(resources: Resources, new: _Given) -> Added:
    """What is wrong with a code that came long ago is no reason to refuse the keys."""
    waiting = await waiting_codes(resources, new.keys.client_id)
    good = await usable(resources, new.keys.client_id, waiting)
    account, problem = None, unconfirmed(resources, [one for one in waiting if one not in good])
    try:
        for answer in await confirmed_answers(resources, new.keys.client_id):
            account = await activate(resources, answer)
        account = await use_codes(resources, new.keys, good) if good else account
    except KeysRefused as error:
        raise FieldInvalid(error.message, field=error.field) from error
    except ProductError as error:
        problem = error.message
    return Added(await _put(resources, new, account), account, "" if account else problem)


async def _put(resources: Resources, new: _Given, account: Account | None = None) -> Integration:
    """The account that an integration belongs to is written once."""
    async with resources.database.write() as session:
        row = await put_integration(resources, session, new.keys, label=new.label)
        row.base_url = new.host or row.base_url
        if row.account_id is None and account is not None:
            row.account_id = account.id
    return row


async def _known_host(resources: Resources, client_id: str) -> str:
    """Where a code given by hand is good, if nobody says it: where this integration is known, else the only host."""
    async with resources.database.read() as session:
        accounts = await accounts_of(session, client_id)
        integration = await session.get(Integration, client_id)
    known = accounts[0].base_url if accounts else (integration.base_url if integration else "")
    if base_url := known or settings_host(resources):
        return base_url
    raise FieldInvalid("Say which account the code is of: send its `subdomain`.", field="subdomain")
