"""A refusal may mean that a person removed a field, an option or a stage: looked at before any deal is blamed. And time
that passed since a deal was read is time in which a person may have moved it: looked at before it is moved by us."""

from collections.abc import Mapping
from contextlib import suppress

from backend.accounts.provisioning import look_at_map
from backend.accounts.tokens.call import with_kommo
from backend.accounts.tokens.refresh import connected
from backend.core.cache import CacheSpec
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.resources import Resources
from backend.storage.models import Account

MAPS_CHECKED = CacheSpec[int, bool](60.0, most=10_000)
"""By account: its fields and pipelines were read again."""


class PlanAgain(KommoError):
    """What was read of Kommo is not so any more."""


async def check_map(resources: Resources, account: Account) -> None:
    """Raises ``PlanAgain`` where ``account``, as it was read, names what is not there any more.

    Kommo is asked once a minute and account at the most: a refusal that has another reason costs nothing more. The
    account's other batches wait for the answer; other accounts do not.
    """
    await resources.caches[MAPS_CHECKED].load(account.id, lambda: _look(resources, account.id))
    there = await connected(resources, account.id)
    if (there.fields, there.pipelines) != (account.fields, account.pipelines):
        raise PlanAgain


async def check_places(resources: Resources, account_id: int, places: Mapping[int, tuple[int, int]]) -> None:
    """Raises ``PlanAgain`` where a deal does not stand in the (pipeline, status) any more in which it was read."""
    there = await with_kommo(resources, account_id, lambda api: api.leads(list(places)))
    if any((there[one].pipeline_id, there[one].status_id) != places[one] for one in places.keys() & there.keys()):
        raise PlanAgain


async def _look(resources: Resources, account_id: int) -> bool:
    with suppress(KommoForbidden):
        await look_at_map(resources, account_id)
    return True
