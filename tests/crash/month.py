"""A month in the life of a shop: reps, clients, banks and colleagues, drawn by lot, while the way is bad."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from sandbox.stripe import Payer
from sandbox.stripe.lives.foreign import KINDS, Foreign
from sandbox.stripe.objects.refusals import Refusal
from tests.crash.actions import asks, pays
from tests.crash.rig.faults import NAMES, failing
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.points import When, killing
from tests.crash.rig.wire import Meeting, Passing, pass_by
from tests.crash.scenarios.shop import uuid_of

DAY = 86400.0
FAULTS, KILLS = 0.06, 0.02
"""Of all requests."""
KILLED: tuple[When, ...] = ("before", "after", "late")
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


class Month:
    """``links`` are (deal, link) nobody has paid yet."""

    def __init__(self, world: KillableWorld, random: Random) -> None:
        self.world = world
        self.random = random
        self.links: list[tuple[int, str]] = []
        self.rests: list[tuple[int, str]] = []
        self.asked = 0

    async def live(self, happenings: int, days: float) -> None:
        """At uneven moments; the product has a little real time between them."""
        deeds = self._deeds()
        names = [name for name, (weight, _) in deeds.items() for _ in range(weight)]
        for _ in range(happenings):
            self.world.clock.advance(-math.log(1 - self.random.random()) * days * DAY / happenings)
            self.world.stripe.tick()
            self.world.stripe.courier.copies = self.random.choice((1, 1, 2))
            with suppress(Refusal, IndexError):  # the state does not allow it, or there is none
                await deeds[self.random.choice(names)][1]()
            await asyncio.sleep(self.random.random() * 0.3)

    def fate(self, passing: Passing) -> Meeting:
        drawn = self.random.random()
        if drawn < KILLS:
            return killing(self.world, self.random.choice(KILLED))
        if drawn < KILLS + FAULTS:
            return failing(self.world, self.random.choice(NAMES[passing.side]))
        return pass_by

    def _deeds(self) -> dict[str, tuple[int, Callable[[], Awaitable[object]]]]:
        stripe = self.world.stripe
        return {
            "a deal with a link": (6, self._ask),
            "a second link": (1, lambda: self._ask_for(self._deal())),
            "a deposit": (2, self._deposit),
            "its rest": (2, self._rest),
            "a subscription": (2, lambda: self._ask(mode="subscription", interval="month")),
            "paid": (8, self._pay),
            "renewed": (2, self._stripe(lambda: stripe.renew_subscription(self._any("subscription", "active")))),
            "not renewed": (1, self._stripe(lambda: stripe.renew_subscription(self._any("subscription"), "failed"))),
            "collected": (1, self._stripe(lambda: stripe.retry_renewal(self._any("subscription", "past_due")))),
            "ended": (1, self._stripe(lambda: stripe.cancel_subscription(self._any("subscription")))),
            "settled": (2, self._stripe(lambda: stripe.settle_payment(self._any("payment_intent", "processing")))),
            "came back": (
                1,
                self._stripe(lambda: stripe.settle_payment(self._any("payment_intent", "processing"), "failed")),
            ),
            "refunded": (3, self._stripe(self._refund)),
            "refund ends": (1, self._stripe(self._end_refund)),
            "disputed": (2, self._stripe(lambda: stripe.open_dispute(self._any("payment_intent", "succeeded")))),
            "dispute ends": (2, self._stripe(self._end_dispute)),
            "foreign": (2, self._stripe(self._foreign)),
        }

    def _stripe(self, deed: Callable[[], object]) -> Callable[[], Awaitable[object]]:
        async def done() -> object:
            return deed()

        return done

    def _any(self, kind: str, *states: str) -> str:
        """``IndexError`` where there is none."""
        found = [
            one["id"] for one in self.world.shelf.objects[kind].values() if not states or one.get("status") in states
        ]
        return str(self.random.choice(found))

    def _deal(self) -> int:
        return self.random.choice([lead for lead, _ in self.links])

    def _amount(self) -> str:
        return f"{self.random.randint(100, 99999) / 100:.2f}"

    async def _ask(self, **wish: str) -> None:
        await self._ask_for(self.world.kommo.account.add_lead(f"Deal {self.asked}").id, **wish)

    async def _ask_for(self, lead_id: int, amount: str = "", **wish: str) -> None:
        self.asked += 1
        link = await asks(self.world, lead_id, uuid_of(self.asked), amount or self._amount(), **wish)
        self.links.append((lead_id, link))

    async def _deposit(self) -> None:
        lead = self.world.kommo.account.add_lead(f"Deal {self.asked}")
        self.rests.append((lead.id, "250.00"))
        await self._ask_for(lead.id, "150.00", kind="deposit", deal_total="400.00")

    async def _rest(self) -> None:
        lead_id, amount = self.rests.pop(0)
        await self._ask_for(lead_id, amount, kind="rest")

    async def _pay(self) -> None:
        """Declined at first now and then; by a bank transfer now and then."""
        place = int(self.random.random() * len(self.links))
        _, link = self.links.pop(place)
        outcome = self.random.choice(("paid", "paid", "paid", "delayed", "declined"))
        await pays(self.world, link, Payer(outcome))
        if outcome == "declined":
            await pays(self.world, link)

    def _refund(self) -> Any:
        part = self.random.choice((None, 1, 50))
        outcome = self.random.choice(("succeeded", "succeeded", "pending", "failed"))
        return self.world.stripe.refund(self._any("payment_intent", "succeeded"), part, outcome)

    def _end_refund(self) -> Any:
        outcome = self.random.choice(("succeeded", "failed", "canceled"))
        return self.world.stripe.finish_refund(self._any("refund", "pending"), outcome)

    def _end_dispute(self) -> Any:
        return self.world.stripe.close_dispute(self._any("dispute", *OPEN), self.random.choice(("won", "lost")))

    def _foreign(self) -> Any:
        return self.world.stripe.foreign_payment(Foreign(self.random.choice(KINDS)), live=True)
