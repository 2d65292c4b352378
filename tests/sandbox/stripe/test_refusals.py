"""What Stripe does not take, this Stripe does not take either."""

from typing import Any

import pytest
import stripe

from sandbox.stripe import StripeWorld
from tests.sandbox.stripe.conftest import Client, payment_params, subscription_params


def priced(amount: int | str, currency: str = "eur", **more: Any) -> Any:
    data = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Thing"}}
    return payment_params(line_items=[{"quantity": 1, "price_data": data | more}])


async def refusal(client: stripe.StripeClient, params: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client.v1.checkout.sessions.create_async(params)
    return caught.value


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        (payment_params(colour="red"), "parameter_unknown", "colour"),
        (priced(1000, wrapped=True), "parameter_unknown", "line_items[0][price_data][wrapped]"),
        (
            payment_params(payment_method_types=["card"]),
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        (priced(49), "amount_too_small", "line_items"),
        (priced(29, "gbp"), "amount_too_small", "line_items"),
        (priced(10**12), "amount_too_large", "line_items"),
        (priced(1005, "kwd"), None, "line_items[0][price_data][unit_amount]"),
        (priced(550, "isk"), None, "line_items[0][price_data][unit_amount]"),
        (priced(1050, "ugx"), None, "line_items[0][price_data][unit_amount]"),
        (priced(1000, "xxx"), None, "line_items[0][price_data][currency]"),
        (priced("ten"), "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
        (priced(-5), "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
        (payment_params(customer_email="nobody at home"), "email_invalid", "customer_email"),
        (payment_params(client_reference_id="1" * 201), "parameter_invalid", "client_reference_id"),
        (payment_params(metadata={f"key{n}": "1" for n in range(51)}), None, "metadata"),
        (payment_params(metadata={"k" * 41: "1"}), None, "metadata"),
        (payment_params(metadata={"k": "1" * 501}), None, "metadata[k]"),
        (payment_params(mode="gift"), None, "mode"),
        (payment_params(success_url="shop.example"), "url_invalid", "success_url"),
        (payment_params(subscription_data={"metadata": {}}), None, None),
        (payment_params(customer="cus_nobody"), "resource_missing", "customer"),
        (subscription_params(invoice_creation={"enabled": True}), None, "invoice_creation"),
        (subscription_params(line_items=priced(1000)["line_items"]), None, "line_items"),
    ],
)
async def test_a_wrong_parameter_is_named(
    client: stripe.StripeClient, params: Any, code: str | None, param: str | None
) -> None:
    if "subscription_data" in params and params["mode"] == "payment":
        params["subscription_data"] = {"description": "no"}
        param = "subscription_data"
    error = await refusal(client, params)
    assert (error.http_status, error.code, error.param) == (400 if code != "resource_missing" else 404, code, param)


@pytest.mark.parametrize("missing", ["mode", "line_items", "success_url"])
async def test_a_missing_parameter_is_named(client: stripe.StripeClient, missing: str) -> None:
    params = {name: value for name, value in payment_params().items() if name != missing}
    error = await refusal(client, params)
    assert (error.code, error.param) == ("parameter_missing", missing)


@pytest.mark.parametrize(("seconds", "word"), [(1740, "30 minutes"), (86460, "24 hours")])
async def test_a_session_lives_from_half_an_hour_to_a_day(
    world: StripeWorld, client: stripe.StripeClient, seconds: int, word: str
) -> None:
    error = await refusal(client, payment_params(expires_at=world.ground.now + seconds))
    assert word in (error.user_message or "")


@pytest.mark.parametrize(
    ("amount", "currency"), [(50, "jpy"), (1010, "kwd"), (500, "isk"), (5000, "ugx"), (0, "eur"), (10**12 - 1, "eur")]
)
async def test_the_edges_of_amounts_are_taken(client: stripe.StripeClient, amount: int, currency: str) -> None:
    session = await client.v1.checkout.sessions.create_async(priced(amount, currency))
    assert (session.amount_total, session.currency) == (amount, currency)


async def test_an_unknown_key_is_401(client_of: Client) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        await client_of("sk_test_nobody1234").v1.accounts.retrieve_current_async()
    assert "Invalid API Key provided: sk_test_" in str(caught.value.user_message)


async def test_a_restricted_key_is_told_which_permission_it_lacks(world: StripeWorld, client_of: Client) -> None:
    key = world.default_account.add_restricted_key(["rak_checkout_session_write"])
    client = client_of(key)
    session = await client.v1.checkout.sessions.create_async(payment_params())
    await client.v1.checkout.sessions.retrieve_async(session.id)
    with pytest.raises(stripe.PermissionError) as caught:
        await client.v1.events.list_async()
    assert caught.value.http_status == 403
    assert "'rak_event_read'" in str(caught.value.user_message)


async def test_test_and_live_are_separate_worlds(world: StripeWorld, client_of: Client) -> None:
    live = client_of(world.default_account.live_secret_key)
    session = await live.v1.checkout.sessions.create_async(payment_params())
    assert session.livemode is True
    assert session.id.startswith("cs_live_")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await client_of(world.default_account.secret_key).v1.checkout.sessions.retrieve_async(session.id)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


async def test_accounts_do_not_see_each_other(
    world: StripeWorld, client: stripe.StripeClient, client_of: Client
) -> None:
    other = world.add_account("Other shop")
    session = await client.v1.checkout.sessions.create_async(payment_params())
    with pytest.raises(stripe.InvalidRequestError):
        await client_of(other.secret_key).v1.checkout.sessions.retrieve_async(session.id)
    assert (await client_of(other.secret_key).v1.accounts.retrieve_current_async()).id == other.id


async def test_a_live_endpoint_must_be_https(world: StripeWorld, client_of: Client) -> None:
    live = client_of(world.default_account.live_secret_key)
    params: Any = {"url": "http://shop.example/hook", "enabled_events": ["*"]}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await live.v1.webhook_endpoints.create_async(params)
    assert caught.value.code == "url_invalid"


async def test_an_unknown_event_type_or_version_is_refused(client: stripe.StripeClient) -> None:
    for wrong in ({"enabled_events": ["payment.done"]}, {"enabled_events": ["*"], "api_version": "2031-01-01"}):
        params: Any = {"url": "https://shop.example/hook"} | wrong
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.webhook_endpoints.create_async(params)


@pytest.mark.parametrize(
    "more",
    [
        {"discounts": [{"coupon": "half"}]},
        {"mode": "setup"},
        {"payment_intent_data": {"capture_method": "manual"}},
        {"optional_items": [{"price": "price_1", "quantity": 1}]},
    ],
)
async def test_what_is_not_played_here_is_refused_rather_than_ignored(
    client: stripe.StripeClient, more: dict[str, Any]
) -> None:
    params = payment_params() | more
    if params["mode"] == "setup":
        del params["payment_intent_data"]
    assert "This sandbox does not play" in str((await refusal(client, params)).user_message)
