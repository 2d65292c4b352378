"""What the network does to a request, as the SDK sees it."""

import pytest
import stripe

from sandbox.stripe import StripeWorld
from sandbox.stripe.traffic.faults import Fault
from tests.sandbox.stripe.conftest import payment_params


def made(world: StripeWorld) -> int:
    return len(world.default_account.shelves[False].objects["checkout.session"])


@pytest.mark.parametrize(("kind", "done"), [("cut_before", 0), ("cut_after", 1), ("cut_answer", 1)])
async def test_a_cut_connection_is_a_connection_error(
    world: StripeWorld, client: stripe.StripeClient, kind: str, done: int
) -> None:
    world.faults.order(Fault(kind, method="POST", path="/v1/checkout/*"))
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.checkout.sessions.create_async(payment_params())
    assert made(world) == done
    await client.v1.checkout.sessions.create_async(payment_params())


async def test_a_lost_answer_is_found_again_by_its_key(world: StripeWorld, client: stripe.StripeClient) -> None:
    world.faults.order(Fault("cut_after"))
    session = await client.v1.checkout.sessions.create_async(payment_params(), {"max_network_retries": 1})
    assert (made(world), session.status) == (1, "open")


@pytest.mark.parametrize(("kind", "done"), [("html_502", 0), ("html_502_after", 1)])
async def test_a_proxy_answers_with_a_page(
    world: StripeWorld, client: stripe.StripeClient, kind: str, done: int
) -> None:
    world.faults.order(Fault(kind))
    with pytest.raises(stripe.APIError) as caught:
        await client.v1.checkout.sessions.create_async(payment_params())
    assert (caught.value.http_status, caught.value.error, made(world)) == (502, None, done)


@pytest.mark.parametrize(("kind", "done"), [("server_error", 0), ("server_error_after", 1)])
async def test_a_fault_of_stripes_own_is_replayed_whether_the_work_was_done_or_not(
    world: StripeWorld, client: stripe.StripeClient, kind: str, done: int
) -> None:
    world.faults.order(Fault(kind))
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            await client.v1.checkout.sessions.create_async(payment_params(), {"idempotency_key": "one"})
        assert (caught.value.http_status, made(world)) == (500, done)


async def test_a_locked_object_is_a_429_with_its_own_code(world: StripeWorld, client: stripe.StripeClient) -> None:
    world.faults.order(Fault("lock_timeout"))
    with pytest.raises(stripe.RateLimitError) as caught:
        await client.v1.checkout.sessions.create_async(payment_params())
    assert caught.value.error
    assert caught.value.error.code == "lock_timeout"


async def test_a_fault_meets_only_the_path_it_was_ordered_for(world: StripeWorld, client: stripe.StripeClient) -> None:
    world.faults.order(Fault("rate_limit", path="/v1/refunds*", count=2))
    assert (await client.v1.checkout.sessions.create_async(payment_params())).status == "open"
    with pytest.raises(stripe.RateLimitError):
        await client.v1.refunds.list_async()


async def test_no_answer_at_all_ends_in_the_callers_patience(world: StripeWorld) -> None:
    impatient = stripe.HTTPXClient(timeout=0.3)
    key, base = world.default_account.secret_key, {"api": world.base_url}
    client = stripe.StripeClient(key, base_addresses=base, http_client=impatient)  # type: ignore[arg-type]
    world.faults.order(Fault("hang", seconds=1))
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.checkout.sessions.create_async(payment_params())
    assert made(world) == 1
