"""Shadow mode: everything is known and shown, nothing is written; and off by one call."""

from typing import Any

from tests.world import World


async def _options(product: World, **given: Any) -> int:
    url = f"{product.url}/admin/api/accounts/{product.account.id}/options"
    return (await product.http.put(url, json=given, headers=product.admin)).status_code


async def test_in_shadow_mode_nothing_is_written_and_switched_off_everything_is(product: World) -> None:
    assert await _options(product, shadow=True) == 200
    lead_id = product.lead()
    await product.pay(await product.link(lead_id))
    await product.quiet()
    assert (product.fields(lead_id), product.notes(lead_id)) == ({}, [])
    shown = await product.http.get(f"{product.url}/widget/deals/{lead_id}", headers=product.token())
    assert shown.json()["state"] == "paid"
    assert await _options(product, shadow=False) == 200
    await product.until(lambda: product.notes(lead_id))
    assert product.deal(lead_id)["status"] == "Paid"


async def test_an_option_has_no_other_values_than_those_that_do_something(product: World) -> None:
    assert await _options(product, renewals="now_and_then") == 422
