"""A worker that dies or sleeps: another goes on, soon, and whoever wakes up too late does nothing."""

import asyncio
import signal
import time
from collections.abc import Callable

from backend.work_queue.leases import LEASE_SECONDS
from tests.processes.fleet import FAST, Fleet
from tests.processes.front import Call


async def paid(fleet: Fleet) -> int:
    """A deal that was just paid; nobody works on it yet."""
    product = fleet.product
    lead_id = product.lead()
    await product.pay(await product.link(lead_id))
    courier = product.stripe.courier
    await product.until(lambda: all(delivery.status != "pending" for delivery in courier.deliveries))
    return lead_id


async def caught(
    fleet: Fleet, name: str, holds: Callable[[Call], bool], *, rate: float = FAST, database_url: str = ""
) -> int:
    """The process ``name`` waits for an answer to the first call that ``holds``; the deal it is about."""
    fleet.traffic.hold(holds)
    lead_id = await paid(fleet)
    await fleet.start(name, rate=rate, database_url=database_url)
    await asyncio.wait_for(fleet.traffic.held.wait(), 20)
    fleet.traffic.holds = lambda _call: False
    return lead_id


def reads_deals(call: Call) -> bool:
    return call.method == "GET" and call.path == "/api/v4/leads"


def patches(call: Call) -> bool:
    return call.method == "PATCH" and call.path == "/api/v4/leads"


async def test_a_killed_worker_is_taken_over_within_two_seconds(fleet: Fleet) -> None:
    lead_id = await caught(fleet, "a", reads_deals)
    await fleet.start("b")
    await settled_in(fleet, "b")
    killed_at = time.monotonic()
    fleet.signal("a", signal.SIGKILL)
    await fleet.product.until(lambda: fleet.traffic.of("b"))
    seconds = fleet.traffic.of("b")[0].begun - killed_at
    print(f"taken over after {seconds:.2f} s")
    assert seconds < 2
    await is_paid(fleet, lead_id)


async def settled_in(fleet: Fleet, name: str) -> None:
    """It runs and has found nothing to do: the account is somebody else's."""
    await fleet.product.until(lambda: "worker started" in fleet.log(name))
    await asyncio.sleep(0.2)
    assert not fleet.traffic.of(name)


async def is_paid(fleet: Fleet, lead_id: int) -> None:
    product = fleet.product
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert len(product.notes(lead_id)) == 1
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid"


async def test_who_was_stopped_beyond_its_lease_writes_nothing_when_it_wakes(fleet: Fleet) -> None:
    """Kommo has done what it asked, and it has not heard so yet."""
    lead_id = await caught(fleet, "a", patches)
    await fleet.put_to_sleep("a")
    await fleet.start("b")
    await settled_in(fleet, "b")
    fleet.board.advance(LEASE_SECONDS + 1)
    await is_paid(fleet, lead_id)
    before = len(fleet.traffic.of("a"))
    fleet.traffic.go.set()
    fleet.signal("a", signal.SIGCONT)
    await fleet.product.until(lambda: "lease lost" in fleet.log("a"))
    assert fleet.traffic.of("a")[before:] == []
    await is_paid(fleet, lead_id)


async def test_who_was_stopped_while_it_waited_for_its_turn_to_call_makes_no_call(fleet: Fleet) -> None:
    """The intent is stored, the rate lets nothing pass for a second, and in that the process falls asleep."""
    lead_id = await caught(fleet, "a", reads_deals, rate=0.8)
    fleet.traffic.go.set()
    await asyncio.sleep(0.4)
    await fleet.put_to_sleep("a")
    before = len(fleet.traffic.of("a"))
    await fleet.start("b")
    await settled_in(fleet, "b")
    fleet.board.advance(LEASE_SECONDS + 1)
    await is_paid(fleet, lead_id)
    fleet.signal("a", signal.SIGCONT)
    await fleet.product.until(lambda: "lease lost" in fleet.log("a"))
    assert fleet.traffic.of("a")[before:] == []
