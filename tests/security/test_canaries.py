"""Secrets that we hold are nowhere to be read: not in logs, not in pages or answers, not in the bytes of the database.

Install, payment, refund and whatever can go wrong are played with secrets that are known, and then looked for: plain,
and in the ways that text is usually packed.
"""

import base64
import io
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
import structlog
from stripe import WebhookSignature

from backend.accounts.stripe.connections import secrets_of
from backend.core.logs import set_up_logs
from backend.storage.models import StripeConnection
from sandbox.stripe import Payer
from sandbox.stripe.traffic.faults import Fault
from tests.world import ADMIN_TOKEN, World, install, open_world

SEALING = "a sealing key that is a canary"
SIGNING = "whsec_canary_given_by_hand"
WRONG_KEY = "rk_live_canary_of_nobody_000000"
PAYER = "canary.payer@client.example"
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
TOPICS = ("setup/kommo", "setup/stripe", "setup/rights", "setup/business", "setup/mode", "automation/stages")
ADMIN_PAGES = [f"/admin/{one}" for one in ("payments", "unmatched", "automation", "setup", "events", *TOPICS)]


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """All that is logged: our own lines, and of every library that we did not silence even what it says for debugging.

    Those that tell whole addresses and bodies are silenced by ``set_up_logs``; without that, this test fails.
    """
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    set_up_logs("json")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(written),
    )
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


@asynccontextmanager
async def heard(product: World) -> AsyncIterator[list[str]]:
    """Every answer of ours, head and body."""
    said: list[str] = []

    async def hear(answer: httpx.Response) -> None:
        if str(answer.url).startswith(product.url):
            await answer.aread()
            said.append(f"{answer.headers!r}\n{answer.text}")

    product.http.event_hooks["response"].append(hear)
    yield said
    product.http.event_hooks["response"].remove(hear)


async def test_no_secret_is_found_in_logs_answers_or_database(
    tmp_path: Path, anyio_backend: str, logs: io.StringIO
) -> None:
    given = {"secret_keys": SEALING, "stripe_webhook_secret": SIGNING}
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/x.db", connected=False, more=given) as product:
        async with heard(product) as said:
            await install(product)
            await _use(product)
            await _misuse(product)
            await _pages(product)
        kept = _bytes_of(tmp_path)
        secrets = await _secrets(product)
    places = {"logs": logs.getvalue().encode(), "answers": "\n".join(said).encode(), "database": kept}
    assert {place: len(held) > 5_000 for place, held in places.items()} == dict.fromkeys(places, True)
    found = [
        (place, name)
        for place, held in places.items()
        for name, secret in secrets.items()
        if any(form in held for form in _forms(secret))
    ]
    assert found == []


def _bytes_of(folder: Path) -> bytes:
    """The database with its log of what is not in it yet."""
    return b"".join(path.read_bytes() for path in folder.glob("x.db*"))


async def _secrets(product: World) -> dict[str, str]:
    wallet, (connection,) = product.kommo.wallet, await product.rows(StripeConnection)
    named = {
        "client secret": product.integration.client_secret,
        "sealing key": SEALING,
        "signing secret given": SIGNING,
        "admin token": ADMIN_TOKEN,
        "stripe key": product.stripe.default_account.live_secret_key,
        "stripe key in the settings": product.resources.vault.open_text(
            connection.api_key, f"stripe_connection:{connection.id}:api_key"
        ),
        "wrong stripe key": WRONG_KEY,
        "payer": PAYER,
        "widget token": product.token()["X-Auth-Token"],
    }
    named |= {f"signing secret {n}": one for n, one in enumerate(secrets_of(product.resources, connection))}
    named |= {f"access token {n}": pair.access for n, pair in enumerate(wallet.by_access.values())}
    named |= {f"refresh token {n}": pair.refresh for n, pair in enumerate(wallet.by_access.values()) if pair.refresh}
    named |= {f"code {n}": code for n, code in enumerate(wallet.codes)}
    assert len(named) >= 14, sorted(named)
    return named


def _forms(secret: str) -> set[bytes]:
    """Base64 in each of the three places where a text may begin in it, without its ends, which neighbours change."""
    raw = secret.encode()
    packed = {base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)}
    packed |= {form.replace(b"+", b"-").replace(b"/", b"_") for form in packed}
    return {raw, raw.hex().encode(), quote(secret, safe="").encode(), orjson.dumps(secret)[1:-1], *packed}


async def _use(product: World) -> None:
    """A payment, a declined one, a bank's, and a refund."""
    put, account = f"{product.url}/admin/api/accounts/{product.account.id}", product.account.admin.id
    await product.http.put(f"{put}/options", json={"refunds": [account], "prefill_email": True}, headers=product.admin)
    lead_id = product.lead()
    await product.pay(await product.link(lead_id), Payer("declined", email=PAYER))
    await product.pay(await product.link(lead_id), Payer("delayed", email=PAYER))
    await product.pay(await product.link(lead_id, "99.00"), Payer(email=PAYER))
    await product.until(lambda: product.notes(lead_id))
    payment = product.fields(lead_id)["STRIPE_PAYMENT_INTENT"]
    body = {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}
    refunded = await product.http.post(
        f"{product.url}/widget/payments/{payment}/refund", json=body, headers=product.token()
    )
    assert refunded.status_code == 201, refunded.text
    key = product.stripe.default_account.live_secret_key
    again = await product.http.put(f"{put}/stripe", json={"api_key": key}, headers=product.admin)
    assert again.status_code == 200, again.text
    await product.quiet()


async def _misuse(product: World) -> None:
    """Whatever makes somebody write down what went wrong."""
    url, token = product.url, product.token()
    accounts = f"{url}/admin/api/accounts/{product.account.id}"
    refused = [
        await product.http.put(f"{accounts}/stripe", json={"api_key": WRONG_KEY}, headers=product.admin),
        await product.http.put(f"{accounts}/stripe", json={"api_key": [WRONG_KEY]}, headers=product.admin),
        await product.http.put(f"{accounts}/stripe", content=f"{{{WRONG_KEY}".encode(), headers=product.admin),
        await product.http.get(f"{url}/admin/api/accounts", headers={"Authorization": f"Basic {ADMIN_TOKEN}"}),
        await product.http.post(f"{url}/admin/login", data={"token": f"{ADMIN_TOKEN}x"}, headers=OUR_PAGE),
        await product.http.get(f"{url}/widget/deals/1", headers={"X-Auth-Token": token["X-Auth-Token"] + "x"}),
        await product.http.get(f"{url}/widget/deals/x{token['X-Auth-Token']}", headers=token),
        await product.http.post(f"{url}/widget/requests", content=token["X-Auth-Token"], headers=token),
        await _webhook(product, b"{}"),
        await _webhook(product, orjson.dumps({"object": "event", "id": "evt_bad", "type": "x", "note": PAYER})),
        await product.http.post(f"{url}/stripe/webhook", content=b"{}", headers={"Stripe-Signature": f"v1={SIGNING}"}),
    ]
    assert [answer.status_code for answer in refused if answer.status_code not in (200, 400, 401, 404, 422)] == []
    await _outsiders_fail(product)


async def _webhook(product: World, body: bytes) -> httpx.Response:
    header = WebhookSignature.generate_signature_header(body.decode(), SIGNING, timestamp=int(time.time()))
    return await product.http.post(f"{product.url}/stripe/webhook", content=body, headers={"Stripe-Signature": header})


async def _outsiders_fail(product: World) -> None:
    """Kommo and Stripe answer with errors; a token ends and is refreshed; our own database breaks."""
    product.kommo.faults.add("500_json", "/api/v4/leads", times=2)
    product.stripe.faults.order(Fault("html_502", "/v1/checkout/sessions*", count=2))
    for _ in range(3):
        await product.ask(product.lead())
    for pair in product.kommo.wallet.by_access.values():
        pair.access_revoked = True
    await product.ask(product.lead())
    await product.quiet()
    async with product.resources.database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE payment_request RENAME TO away")
    assert (await product.ask(product.lead())).status_code == 503
    assert (await product.http.get(f"{product.url}/p/{'a' * 16}")).status_code == 503
    async with product.resources.database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO payment_request")


async def _pages(product: World) -> None:
    """All that can be read, by an operator and by nobody in particular."""
    entered = await product.http.post(f"{product.url}/admin/login", data={"token": ADMIN_TOKEN}, headers=OUR_PAGE)
    assert entered.status_code == 303, entered.text
    lead_id = max(product.account.leads)
    pages = ["/", "/admin", "/admin/accounts", *ADMIN_PAGES, f"/admin/deal?deal={lead_id}", "/metrics",
             "/admin/api/accounts", "/admin/api/integrations", "/admin/api/unmatched", "/readyz", "/healthz",
             "/openapi.json", "/oauth/kommo/start", "/oauth/kommo/callback?code=x", "/nowhere"]  # fmt: skip
    for page in pages:
        answer: Any = await product.http.get(f"{product.url}{page}", headers=product.admin)
        assert answer.status_code in (200, 302, 303, 400, 404, 503), page
