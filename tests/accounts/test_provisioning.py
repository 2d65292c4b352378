"""Setting an account up: in its language, and where something on the way does not answer."""

from pathlib import Path

import pytest

from backend.accounts.provisioning import set_up
from backend.kommo_api.deal_fields import DEAL_FIELDS, GROUP, names_in
from backend.storage.models import Account
from sandbox.stripe.traffic.faults import Fault
from tests.world import World, install, open_world

ENDPOINTS = "/v1/webhook_endpoints"


async def test_an_endpoint_that_stripe_had_no_time_for_is_made_some_seconds_later(tmp_path: Path) -> None:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", connected=False) as product:
        product.stripe.faults.order(Fault("rate_limit", ENDPOINTS))
        await install(product)
        told = [seen.status for seen in product.stripe.seen if seen.path == ENDPOINTS]
        assert (told[0], told[-1]) == (429, 200)


def names(product: World) -> set[str]:
    account = product.kommo.account
    ours = [field for field in account.custom_fields.values() if (field.code or "").startswith("STRIPE_")]
    return {field.name for field in ours} | {account.groups[field.group_id or ""].name for field in ours}


def expected(language: str) -> set[str]:
    words = names_in(language)
    return {words.say(key) for key in [GROUP, *(one.code for one in DEAL_FIELDS)]}


@pytest.mark.parametrize(("reading", "language"), [("absent", "tr"), ("present", "es")])
async def test_fields_are_made_in_the_accounts_language_else_in_that_of_who_connects(
    database_url: str, reading: str, language: str
) -> None:
    async with open_world(database_url, connected=False) as product:
        product.kommo.switches.set("account_language", reading)
        product.kommo.account.language = "es"
        product.kommo.account.admin.lang = "tr"
        await install(product)
        assert names(product) == expected(language)
        async with product.resources.database.write() as session:
            account = await session.get_one(Account, product.kommo.account.id)
            assert account.language == language
            account.language = ""  # as an account of before has it: what it lost comes back in English
        lost = product.kommo.account.field("STRIPE_PAYMENTS")
        assert lost is not None
        product.kommo.account.delete_field(lost.id)
        await set_up(product.resources, product.kommo.account.id)
        assert names(product) == expected(language) - {lost.name} | {"Payments"}
