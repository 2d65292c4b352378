"""Webhook deliveries: signed POSTs, tried again with growing waits, held, shuffled and doubled at will."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import stripe

from sandbox.serving import NOBODY
from sandbox.stripe.delivery.events import Event
from sandbox.stripe.objects.ground import Ground
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.objects.store import Endpoint

MINUTE, HOUR = 60, 3600
WAITS = {
    True: [5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, *(hours * HOUR for hours in (2, 4, 8, 12, 20, 24))],
    False: [10 * MINUTE, HOUR, 3 * HOUR],
}
"""Seconds until the next try, by mode: three days in live, three tries over a few hours in test.
The real steps are unpublished (docs/facts/stripe.md D)."""

LOOK_AGAIN = 0.05
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
Order = Literal["created", "reversed", "shuffled"]


@dataclass(eq=False)
class Delivery:
    """One event to one endpoint; ``due`` is None once it is over, ``answers`` holds a status or an error each try."""

    id: str
    event: Event
    endpoint: Endpoint
    due: float | None
    answers: list[int | str] = field(default_factory=list)
    status: Literal["pending", "succeeded", "failed"] = "pending"
    under_way: bool = False

    def shown(self) -> Obj:
        return {
            "id": self.id,
            "event": self.event.id,
            "type": self.event.type,
            "endpoint": self.endpoint.shown["id"],
            "url": self.endpoint.shown["url"],
            "status": self.status,
            "answers": self.answers,
            "due": self.due,
        }


@dataclass
class Courier:
    """``pace`` multiplies the waits between tries; ``copies`` is how often each delivery is sent; ``skew`` is added to
    the signature's time; ``at_once`` is how many go out together (1 keeps strict order)."""

    ground: Ground
    deliveries: list[Delivery] = field(default_factory=list)
    held: bool = False
    pace: float = 1.0
    copies: int = 1
    skew: int = 0
    at_once: int = 8
    _open: list[Delivery] = field(default_factory=list)
    _unaccepted: Counter[str] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _stir: asyncio.Event = field(default_factory=asyncio.Event)

    def __getstate__(self) -> dict[str, Any]:
        """A copy has the same deliveries before it, and nobody at work yet."""
        return self.__dict__ | {"_tasks": set(), "_stir": asyncio.Event()}

    @property
    def undelivered(self) -> int:
        """How many deliveries are under way or wait for their next try."""
        return len(self._open)

    def send(self, event: Event, endpoint: Endpoint) -> Delivery:
        delivery = Delivery(self.ground.new_id("dlv_"), event, endpoint, self.ground.clock())
        self.deliveries.append(delivery)
        self._open.append(delivery)
        self._stir.set()
        self._unaccepted[event.id] += 1
        return delivery

    def pending(self, event: Event) -> int:
        """How many deliveries of this event were not accepted yet."""
        return self._unaccepted[event.id]

    def release(self, order: Order = "created") -> None:
        """Let held deliveries go, in this order."""
        if order == "reversed":
            self._open.reverse()
        elif order == "shuffled":
            self.ground.random.shuffle(self._open)
        self.held = False
        self._stir.set()

    async def run(self) -> None:
        """Deliver for as long as the task lives. Time may be moved from outside, so it is looked at anyway."""
        # Sooner than the server, which closes after five seconds: the two must not meet on one connection.
        limits = httpx.Limits(max_connections=50, keepalive_expiry=2.0)
        async with httpx.AsyncClient(trust_env=False, limits=limits, follow_redirects=False, verify=NOBODY) as client:
            try:
                while True:
                    for delivery in list(self._ready()):
                        delivery.under_way = True
                        task = asyncio.create_task(self._deliver(client, delivery))
                        self._tasks.add(task)
                        task.add_done_callback(self._gone)
                    # Not wait_for: in Python 3.11 it drops a cancellation that comes together with the event.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_AGAIN):
                            await self._stir.wait()
                    self._stir.clear()
            finally:
                for task in self._tasks:
                    task.cancel()

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._stir.set()

    def _ready(self) -> Iterator[Delivery]:
        free, now = self.at_once - len(self._tasks), self.ground.clock()
        for delivery in list(self._open):
            if free <= 0 or self.held:
                return
            if delivery.under_way or delivery.due is None:
                continue
            if not delivery.endpoint.enabled:
                self._end(delivery, "failed")
            elif delivery.due <= now:
                free -= 1
                yield delivery

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        try:
            for _ in range(self.copies):
                delivery.answers.append(await self._post(client, delivery))
            self._conclude(delivery)
        finally:
            delivery.under_way = False

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> int | str:
        body = json.dumps(self._body(delivery), indent=2)
        seconds = float(self.ground.switches["delivery_timeout"])
        headers = {
            "Stripe-Signature": self.signature(body, delivery.endpoint),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": USER_AGENT,
        }
        try:
            answer = await client.post(delivery.endpoint.shown["url"], content=body, headers=headers, timeout=seconds)
        except httpx.HTTPError as error:
            return type(error).__name__
        return answer.status_code

    def _body(self, delivery: Delivery) -> Obj:
        return delivery.event.shown(delivery.endpoint.version, self.pending(delivery.event))

    def signature(self, body: str, endpoint: Endpoint) -> str:
        """``t=…,v1=…`` with one v1 per active secret, as while a secret is being rolled."""
        moment = self.ground.now + self.skew
        parts = [
            stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=moment)
            for secret in endpoint.active_secrets(self.ground.clock())
        ]
        return ",".join([f"t={moment}", *(part.partition(",")[2] for part in parts)])

    def _conclude(self, delivery: Delivery) -> None:
        last, waits = delivery.answers[-1], WAITS[delivery.event.livemode]
        tries = len(delivery.answers) // self.copies
        if isinstance(last, int) and 200 <= last < 300:
            self._unaccepted[delivery.event.id] -= 1
            self._end(delivery, "succeeded")
        elif tries <= len(waits):
            delivery.due = self.ground.clock() + waits[tries - 1] * self.pace
        else:
            self._end(delivery, "failed")
            if self.ground.switches["endpoint_disabling"] == "after_last_retry":
                delivery.endpoint.shown["status"] = "disabled"

    def _end(self, delivery: Delivery, status: Literal["succeeded", "failed"]) -> None:
        delivery.status, delivery.due = status, None
        self._open.remove(delivery)
