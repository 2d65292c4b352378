"""One key, one deed (docs/facts/stripe.md B3)."""

import asyncio
from typing import Any

import pytest
import stripe

from sandbox.stripe import StripeWorld
from sandbox.stripe.traffic.faults import Fault
from tests.sandbox.stripe.conftest import payment_params

KEY: Any = {"idempotency_key": "request-1"}


async def create(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    return await client.v1.checkout.sessions.create_async(payment_params(**more), KEY)


def sessions_of(world: StripeWorld) -> int:
    return len(world.default_account.shelves[False].objects["checkout.session"])


async def test_a_repeat_is_the_first_answer_again(world: StripeWorld, client: stripe.StripeClient) -> None:
    first, second = await create(client), await create(client)
    assert first.id == second.id
    assert second.last_response
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert (sessions_of(world), [seen.replayed for seen in world.seen]) == (1, [False, True])


async def test_the_same_key_with_other_parameters_is_an_error(client: stripe.StripeClient) -> None:
    await create(client)
    with pytest.raises(stripe.IdempotencyError) as caught:
        await create(client, client_reference_id="4712")
    assert caught.value.http_status == 400


async def test_after_a_day_the_key_makes_a_new_object(world: StripeWorld, client: stripe.StripeClient) -> None:
    first = await create(client)
    world.advance(86400)
    assert (await create(client)).id != first.id


async def test_a_refused_parameter_leaves_the_key_free(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await create(client, customer_email="nobody")
    assert (await create(client)).status == "open"


async def test_a_server_error_is_replayed(world: StripeWorld, client: stripe.StripeClient) -> None:
    world.faults.order(Fault("server_error"))
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            await create(client)
        assert caught.value.http_status == 500
    assert sessions_of(world) == 0


async def test_a_rate_limit_leaves_the_key_free(world: StripeWorld, client: stripe.StripeClient) -> None:
    world.faults.order(Fault("rate_limit"))
    with pytest.raises(stripe.RateLimitError):
        await create(client)
    assert (await create(client)).status == "open"


async def test_a_second_request_while_the_first_runs_is_409(world: StripeWorld, client: stripe.StripeClient) -> None:
    world.faults.order(Fault("delay", seconds=0.3))
    first = asyncio.create_task(create(client))
    await asyncio.sleep(0.1)
    with pytest.raises(stripe.APIError) as caught:
        await create(client)
    assert caught.value.http_status == 409
    assert caught.value.error
    assert caught.value.error.code == "idempotency_key_in_use"
    assert (await first).status == "open"


async def test_a_refund_that_was_refused_for_its_state_is_replayed(
    world: StripeWorld, client: stripe.StripeClient
) -> None:
    session = await create(client)
    intent = world.pay_session(session.id)["payment_intent"]
    world.refund(intent)
    params: Any = {"payment_intent": intent}
    for replayed in (False, True):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await client.v1.refunds.create_async(params, {"idempotency_key": "refund-1"})
        assert caught.value.code == "charge_already_refunded"
        assert world.seen[-1].replayed is replayed
