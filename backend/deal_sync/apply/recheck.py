"""Checks before a deal is blamed or moved whether our picture of Kommo is still right.

After a refusal: a person may have removed a field, an option or a stage. After a delay: a person may have moved the
deal since it was fetched.
"""

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
"""Accounts whose fields and pipelines were fetched again within the last minute."""


class PlanAgain(KommoError):
    """Kommo's fields, pipelines or deals have changed since they were fetched."""

    says = "kommo_changed_meanwhile"


async def check_map(resources: Resources, account: Account) -> None:
    """Raise ``PlanAgain`` if ``account`` names fields or stages that Kommo no longer has.

    Asks Kommo at most once a minute per account, so refusals for other reasons cost nothing. Concurrent batches of the
    account share the answer.
    """
    await resources.caches[MAPS_CHECKED].load(account.id, lambda: _look(resources, account.id))
    there = await connected(resources, account.id)
    if (there.fields, there.pipelines) != (account.fields, account.pipelines):
        raise PlanAgain


async def check_places(resources: Resources, account_id: int, places: Mapping[int, tuple[int, int]]) -> None:
    """Raise ``PlanAgain`` if a deal is no longer in the stage where it was fetched. ``places``: deal → (pipeline,
    status)."""
    there = await with_kommo(resources, account_id, lambda api: api.leads(list(places)))
    if any((there[one].pipeline_id, there[one].status_id) != places[one] for one in places.keys() & there.keys()):
        raise PlanAgain


async def _look(resources: Resources, account_id: int) -> bool:
    with suppress(KommoForbidden):
        await look_at_map(resources, account_id)
    return True
