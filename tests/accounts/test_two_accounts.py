"""Two Kommo accounts and two Stripe accounts on one backend, one of the Stripe accounts used by both Kommo accounts."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.storage.models import InboxEvent, LedgerEntry, StripeConnection
from sandbox.kommo.accounts.account import Account as KommoAccount
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.views import lead_in_full
from sandbox.stripe import Payer
from tests.accounts.connecting import installed, put, shown
from tests.command_line import typed
from tests.world import World, open_world


@dataclass
class Rep:
    """One of the two, as its rep sees it."""

    product: World
    account: KommoAccount
    integration: Integration

    def token(self) -> dict[str, str]:
        return {"X-Auth-Token": self.product.kommo.one_time_token(self.integration.client_id, self.account.admin.id)}

    async def get(self, path: str) -> httpx.Response:
        return await self.product.http.get(f"{self.product.url}{path}", headers=self.token())

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.product.http.post(f"{self.product.url}{path}", json=body, headers=self.token())

    async def link(self, lead_id: int) -> dict[str, Any]:
        body = {"request_id": str(uuid.uuid4()), "lead_id": lead_id, "amount": "20.00", "currency": "USD",
                "description": "Sofa", "mode": "payment"}  # fmt: skip
        answer = await self.post("/widget/requests", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def fields(self, lead_id: int) -> dict[str, Any]:
        found: dict[str, Any] = lead_in_full(self.account, self.account.leads[lead_id])["fields"]
        return found

    @property
    def notes(self) -> list[str]:
        return [note.text for note in self.account.notes.values()]


@dataclass
class TwoAccounts:
    """``first`` uses the shared Stripe account and its own besides; ``second`` the shared one."""

    product: World
    first: Rep
    second: Rep


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[TwoAccounts]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/product.db") as product:
        account = product.kommo.add_account("globex")
        integration = await installed(product, account)
        shared = product.stripe.default_account
        await put(product, f"accounts/{account.id}/stripe", {"api_key": shared.live_secret_key})
        own = product.stripe.add_account("Acme's own")
        await put(
            product,
            f"accounts/{product.account.id}/stripe",
            {"api_key": own.live_secret_key, "confirm_account": own.id},
        )
        await product.quiet()
        first = Rep(product, product.account, product.integration)
        yield TwoAccounts(product, first, Rep(product, account, integration))


async def pay(product: World, link: str) -> None:
    opened = await product.http.get(link)
    assert opened.status_code == 303, opened.text
    product.stripe.pay_session(opened.headers["location"].rpartition("/")[2].partition("#")[0], Payer())


async def same_leads(accounts: TwoAccounts) -> int:
    """A deal of the same number in both accounts, the worst that can happen."""
    first = accounts.first.account.add_lead("Acme's", 20)
    twin = accounts.second.account.add_lead("Globex's", 20)
    del accounts.second.account.leads[twin.id]
    twin.id = first.id
    accounts.second.account.leads[first.id] = twin
    return first.id


async def test_nothing_is_written_or_listed_across(accounts: TwoAccounts, tmp_path: Path) -> None:
    product, first, second = accounts.product, accounts.first, accounts.second
    lead_id = await same_leads(accounts)
    # the first account still hears the shared Stripe account, by the connection that drains: pay there for the second
    request = await second.link(lead_id)
    await pay(product, request["url"])
    await product.until(lambda: second.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid" and second.notes)
    await product.quiet()
    payment = next(row.id for row in await product.rows(LedgerEntry) if row.kind == "payment" and row.lead_id)
    await _nothing_written(first, lead_id)
    await _heard_as_foreign(product, first)
    await _widget(first, lead_id, request["id"], payment)
    await _lists(accounts, payment)
    await _command_line(accounts, tmp_path)
    other = await first.link(lead_id)
    await pay(product, other["url"])
    await product.until(lambda: first.fields(lead_id).get("STRIPE_PAYMENT_STATUS") == "Paid" and first.notes)
    await product.quiet()
    assert (len(first.notes), len(second.notes)) == (1, 1)
    assert payment in second.notes[0]
    assert payment not in first.notes[0]


async def _nothing_written(first: Rep, lead_id: int) -> None:
    assert first.notes == []
    assert [name for name, value in first.fields(lead_id).items() if value and name.startswith("STRIPE")] == []
    mine = {one.id for one in first.account.leads.values()}
    written = [one for one in first.product.kommo.requests if one.method != "GET" and "/leads" in one.path]
    assert [one.path for one in written if one.account_id == first.account.id and "custom_fields" not in one.path] == []
    assert lead_id in mine


async def _heard_as_foreign(product: World, first: Rep) -> None:
    """The events of the shared Stripe account come in for both; the first account keeps no body of the second's."""
    mine = {row.id for row in await product.rows(StripeConnection) if row.account_id == first.account.id}
    heard = [event for event in await product.rows(InboxEvent) if event.connection_id in mine]
    assert heard
    assert {(event.state, event.body) for event in heard} <= {("foreign", None), ("ignored", None)}


async def _widget(first: Rep, lead_id: int, request_id: str, payment: str) -> None:
    seen = (await first.get(f"/widget/deals/{lead_id}")).json()
    assert (seen["requests"], seen["payments"], seen["paid"]) == ([], [], [])
    cancelled = await first.post(f"/widget/requests/{request_id}/cancel")
    refunded = await first.post(
        f"/widget/payments/{payment}/refund", {"refund_id": str(uuid.uuid4()), "expected_refunded": "0.00"}
    )
    assert (cancelled.status_code, refunded.status_code) == (404, 404)


async def _lists(accounts: TwoAccounts, payment: str) -> None:
    """In a session entered from Kommo, by the admin API and by the page."""
    product, first, second = accounts.product, accounts.first, accounts.second
    url = (await first.post("/widget/setup")).json()["url"]
    async with httpx.AsyncClient(base_url=product.url, follow_redirects=True) as visitor:
        page = (await visitor.post(url, headers={"Sec-Fetch-Site": "same-origin"})).text
        looked_up = (await visitor.get(f"/admin/deal?deal={next(iter(first.account.leads))}")).text
        listed = (await visitor.get("/admin/api/accounts")).json()
        assert (await visitor.get(f"/admin?account={second.account.id}")).status_code == 403
        wrong = await visitor.post(
            f"/admin/api/unmatched/{payment}/attach", json={"account_id": first.account.id, "lead_id": 1}
        )
        assert wrong.status_code == 404
    assert [row["account_id"] for row in listed] == [first.account.id]
    theirs = [row["id"] for row in (await shown(product, second.account.id))["stripe"]]
    text = page + looked_up + repr(listed)
    assert [word for word in (*theirs, str(second.account.id), "globex", payment) if word in text] == []


async def _command_line(accounts: TwoAccounts, folder: Path) -> None:
    said = await typed(accounts.product, folder, "shadow", "report", "--account", str(accounts.first.account.id))
    assert "globex" not in said[1].lower()
    nothing = await typed(accounts.product, folder, "payments", "unmatched")
    assert nothing == (0, "Every payment has its deal.\n")
