"""A worker that dies or sleeps: another goes on, soon, and whoever wakes up too late does nothing."""

import asyncio
import signal
import time
from collections.abc import Callable

from backend.deal_sync.settle import UNSEEN
from backend.storage.models import CardWrite
from backend.work_queue.leases import LEASE_SECONDS
from tests.processes.proxy import Call
from tests.processes.workers import FAST, Workers


async def paid(workers: Workers) -> int:
    """A deal that was just paid; nobody works on it yet."""
    product = workers.product
    lead_id = product.lead()
    await product.pay(await product.link(lead_id))
    courier = product.stripe.courier
    await product.until(lambda: all(delivery.status != "pending" for delivery in courier.deliveries))
    return lead_id


async def caught(
    workers: Workers, name: str, holds: Callable[[Call], bool], *, rate: float = FAST, database_url: str = ""
) -> int:
    """The process ``name`` waits for an answer to the first call that ``holds``; the deal it is about."""
    workers.traffic.hold(holds)
    lead_id = await paid(workers)
    await workers.start(name, rate=rate, database_url=database_url)
    await asyncio.wait_for(workers.traffic.held.wait(), 20)
    workers.traffic.holds = lambda _call: False
    return lead_id


def reads_deals(call: Call) -> bool:
    return call.method == "GET" and call.path == "/api/v4/leads"


def patches(call: Call) -> bool:
    return call.method == "PATCH" and call.path == "/api/v4/leads"


async def test_a_killed_worker_is_taken_over_before_its_lease_ends(workers: Workers) -> None:
    lead_id = await caught(workers, "a", reads_deals)
    await workers.start("b")
    await settled_in(workers, "b")
    killed_at = time.monotonic()
    workers.signal("a", signal.SIGKILL)
    await workers.product.until(lambda: workers.traffic.of("b"))
    seconds = workers.traffic.of("b")[0].begun - killed_at
    print(f"taken over after {seconds:.2f} s")
    assert seconds < LEASE_SECONDS / 2  # how fast it really is, `run.py bench takeover` says
    await is_paid(workers, lead_id)


async def settled_in(workers: Workers, name: str) -> None:
    """It runs and has found nothing to do: the account is somebody else's."""
    await workers.product.until(lambda: "worker started" in workers.log(name))
    await asyncio.sleep(0.2)
    assert not workers.traffic.of(name)


async def is_paid(workers: Workers, lead_id: int) -> None:
    product = workers.product
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    assert len(product.notes(lead_id)) == 1
    assert product.fields(lead_id)["STRIPE_PAYMENT_STATUS"] == "Paid"


def posts_notes(call: Call) -> bool:
    return call.method == "POST" and call.path == "/api/v4/leads/notes"


async def killed_at_its_note(workers: Workers, times: int) -> int:
    """A deal whose note was on its way to Kommo so many times, and never got there, when the worker was killed."""
    product = workers.product
    product.kommo.faults.add("503_html", "/notes", method="POST", times=times)
    lead_id = await caught(workers, "a", posts_notes)
    await killed_there(workers, posts_notes, times)
    return lead_id


async def killed_there(workers: Workers, there: Callable[[Call], bool], times: int) -> None:
    """The worker, which waits for an answer, is killed, started, and killed at the same place until it was so often."""
    for number in range(1, times + 1):
        workers.signal("a", signal.SIGKILL)
        await workers.ended("a")
        workers.traffic.held.clear()
        workers.traffic.holds = there if number < times else lambda _call: False
        await workers.start("a")
        if number < times:
            await asyncio.wait_for(workers.traffic.held.wait(), 20)


async def test_a_note_is_written_once_although_its_process_was_killed_again_and_again(workers: Workers) -> None:
    """Kommo shows an earlier note, so one that it does not show was never written."""
    await workers.start("a")
    await is_paid(workers, await paid(workers))
    workers.kill_all()
    await is_paid(workers, await killed_at_its_note(workers, 3))


def posts_tasks(call: Call) -> bool:
    return call.method == "POST" and call.path == "/api/v4/tasks"


def dispute(workers: Workers, lead_id: int) -> None:
    workers.product.stripe.open_dispute(workers.product.fields(lead_id)["STRIPE_PAYMENT_INTENT"])


async def test_a_task_is_made_once_although_its_process_was_killed_again_and_again(workers: Workers) -> None:
    """Kommo shows an earlier task, so one that it does not show was never made."""
    product = workers.product
    await workers.start("a")
    first, second = await paid(workers), await paid(workers)
    for lead_id in (first, second):
        await is_paid(workers, lead_id)
    dispute(workers, first)
    await product.until(lambda: product.account.tasks_of(first))
    await product.quiet()
    product.kommo.faults.add("503_html", "/tasks", method="POST", times=3)
    workers.traffic.hold(posts_tasks)
    dispute(workers, second)
    await asyncio.wait_for(workers.traffic.held.wait(), 20)
    await killed_there(workers, posts_tasks, 3)
    await product.until(lambda: product.account.tasks_of(second))
    await product.quiet()
    assert [len(product.account.tasks_of(lead_id)) for lead_id in (first, second)] == [1, 1]


async def test_where_kommo_shows_no_earlier_note_a_third_one_is_never_sent(workers: Workers) -> None:
    workers.product.account.notes.clear()
    lead_id = await killed_at_its_note(workers, 2)
    while (write := await note_of(workers, lead_id)).state != "dead":  # noqa: ASYNC110 (a commit wakes nobody here)
        await asyncio.sleep(0.02)
    assert (write.attempts, write.error, workers.product.notes(lead_id)) == (2, UNSEEN, [])


async def note_of(workers: Workers, lead_id: int) -> CardWrite:
    rows: list[CardWrite] = await workers.product.rows(CardWrite)
    (write,) = [one for one in rows if (one.lead_id, one.kind) == (lead_id, "note")]
    return write


async def test_a_worker_stopped_beyond_its_lease_writes_nothing_when_it_wakes(workers: Workers) -> None:
    """Kommo has done what it asked, and it has not heard so yet."""
    lead_id = await caught(workers, "a", patches)
    await workers.put_to_sleep("a")
    await workers.start("b")
    await settled_in(workers, "b")
    workers.clock.advance(LEASE_SECONDS + 1)
    await is_paid(workers, lead_id)
    before = len(workers.traffic.of("a"))
    workers.traffic.go.set()
    workers.signal("a", signal.SIGCONT)
    await workers.product.until(lambda: "lease lost" in workers.log("a"))
    assert workers.traffic.of("a")[before:] == []
    await is_paid(workers, lead_id)


async def test_a_worker_stopped_while_it_waits_for_its_turn_makes_no_call(workers: Workers) -> None:
    """The intent is stored, the rate lets nothing pass for a second, and in that the process falls asleep."""
    lead_id = await caught(workers, "a", reads_deals, rate=0.8)
    workers.traffic.go.set()
    await asyncio.sleep(0.4)
    await workers.put_to_sleep("a")
    before = len(workers.traffic.of("a"))
    await workers.start("b")
    await settled_in(workers, "b")
    workers.clock.advance(LEASE_SECONDS + 1)
    await is_paid(workers, lead_id)
    workers.signal("a", signal.SIGCONT)
    await workers.product.until(lambda: "lease lost" in workers.log("a"))
    assert workers.traffic.of("a")[before:] == []
