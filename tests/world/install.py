"""How the product comes to the first account."""

from tests.world.world import World


async def install(world: World) -> None:
    """An admin allows us on Kommo's consent page, and set-up is over."""
    begun = await world.http.get(f"{world.url}/oauth/kommo/start", headers=world.admin)
    agreed = await world.http.get(f"{begun.headers['location']}&auto=allow")
    done = await world.http.get(agreed.headers["location"])
    assert done.status_code == 200, done.text
    await world.until(lambda: world.stripe.default_account.shelves[True].endpoints)
    await world.quiet()
