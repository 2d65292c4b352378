"""Many open one link at once: one of them asks Stripe, and all get that answer."""

import asyncio

from backend.links.open import Shown, ToCheckout, open_link
from backend.resources import Resources


class Openings:
    """For one process; across processes the database's compare-and-set does the same for what is made."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[ToCheckout | Shown]] = {}

    async def open(self, resources: Resources, token: str) -> ToCheckout | Shown:
        opening = self._under_way.get(token)
        if opening is None:
            opening = asyncio.create_task(open_link(resources, token))
            self._under_way[token] = opening
            opening.add_done_callback(lambda _: self._under_way.pop(token, None))
        return await asyncio.shield(opening)
