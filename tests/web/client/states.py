"""Every page that a client may meet, as the product answered it: recorded once, shown as often as needed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from backend.accounts.branding.logo import put_logo
from backend.storage.models import Account, PaymentRequest, StripeConnection
from sandbox.stripe import Payer
from tests.accounts.test_logo import png
from tests.world import CONNECTION, World

LONG = "Übersetzungsdienstleistungsvertrag" * 7
DEPOSIT = {"amount": "100.00", "kind": "deposit", "deal_total": "400.00"}
BUSINESS = {
    "business_name": "Bluebird & Daughters",
    "contact_phone": "+52 55 1234 5678",
    "contact_whatsapp": "+52 55 1234 5678",
    "contact_email": "billing@bluebird.example",
}
STATUS = {"moment": 503, "later": 503, "trouble": 503, "receipt": 503, "unknown": 404, "busy": 429}
Pages = dict[str, httpx.Response]


@dataclass(frozen=True)
class States:
    """``languages``: each page is recorded in each; its name then ends with ``-`` and the language."""

    shop: World
    languages: tuple[str, ...] = ("en",)

    async def record(self, *names: str) -> Pages:
        """The pages of these names, of all when none is named, in an order in which none is in the way of the next."""
        pages: Pages = {}
        for name, make in self._all().items():
            if not names or name in names:
                address = await make()
                for language in self.languages:
                    pages[f"{name}-{language}"] = await self.shop.open(f"{address}?lang={language}")
                    assert pages[f"{name}-{language}"].status_code == STATUS.get(name, 200), name
                await self._live(False)
        return pages

    def _all(self) -> dict[str, Callable[[], Awaitable[str]]]:
        made = (
            self.unknown, self.test, self.statement, self.settled, self.processing, self.failed,
            self.partly_returned, self.returned, self.twice, self.contract, self.cancelled, self.expired,
            self.replaced, self.waiting, self.back, self.preview, self.statement_of_returns, self.paid,
            self.opening, self.moment, self.receipt, self.trouble, self.later, self.busy,
        )  # fmt: skip
        return {make.__name__: make for make in made}

    async def dressed(self, **options: str) -> None:
        await self.shop.stored.set_options(statement=True, **BUSINESS | options)
        await put_logo(self.shop.resources, self.shop.account.id, png(160, 48), who="test")

    async def unknown(self) -> str:
        return "/p/aaaaaaaaaaaaaaaa"

    async def test(self) -> str:
        return f"{(await self.shop.paid(**DEPOSIT))['url']}/thanks"

    async def paid(self) -> str:
        """As it is with real money: the mark is set by hand, since no test key can take any."""
        request = await self.shop.paid(description="Website, second part")
        await self._live(True)
        return f"{request['url']}/thanks"

    async def settled(self) -> str:
        return await self._paid(Payer(discount=12000))

    async def processing(self) -> str:
        return await self._paid(Payer("delayed"))

    async def failed(self) -> str:
        address = await self._paid(Payer("delayed"))
        self.shop.stripe.settle_payment(self.shop.checkout.session["payment_intent"], "failed")
        return address

    async def _paid(self, payer: Payer) -> str:
        request = await self.shop.rep.create()
        self.shop.stripe.pay_session(self.shop.checkout.session["id"], payer)
        return f"{request['url']}/thanks"

    async def partly_returned(self) -> str:
        return await self._returned("30.00")

    async def returned(self) -> str:
        return await self._returned("120.00")

    async def _returned(self, amount: str) -> str:
        await self.shop.may_refund()
        request = await self.shop.paid()
        await self.shop.rep.refund(self.shop.checkout.session["payment_intent"], amount=amount)
        return str(request["url"])

    async def twice(self) -> str:
        """Two periods of a contract: a list in the place of one payment."""
        request = await self.shop.rep.create(mode="subscription", interval="month")
        self.shop.stripe.pay_session(self.shop.checkout.session["id"])
        await self.shop.rep.check()
        return str(request["url"])

    async def contract(self) -> str:
        request = await self.shop.rep.create(mode="subscription", interval="week", interval_count=2)
        return f"{request['url']}/back"

    async def cancelled(self) -> str:
        request = await self.shop.rep.create()
        await self.shop.rep.post(f"/widget/requests/{request['id']}/cancel")
        return str(request["url"])

    async def expired(self) -> str:
        request = await self.shop.rep.create()
        await self._change(PaymentRequest, (self.shop.account.id, request["id"]), expires_at=1.0)
        return str(request["url"])

    async def replaced(self) -> str:
        old = await self.shop.rep.create()
        await self.shop.rep.create(description=LONG, replaces=old["id"])
        return str(old["url"])

    async def waiting(self) -> str:
        return f"{(await self.shop.rep.create(description=LONG))['url']}/thanks"

    async def back(self) -> str:
        return f"{(await self.shop.rep.create())['url']}/back"

    async def preview(self) -> str:
        """What is taken for a program gets the page with the button."""
        self.shop.http.headers["user-agent"] = "Embedded"
        return str((await self.shop.rep.create())["url"])

    async def statement(self) -> str:
        return str((await self.shop.rep.deal())["statement_url"])

    async def statement_of_returns(self) -> str:
        self.shop.http.headers["user-agent"] = "Mozilla/5.0"
        return await self.statement()

    async def opening(self) -> str:
        request = await self.shop.rep.create()
        self.shop.stripe.advance(2 * 86400)
        self.shop.checkout.fault("hang", count=1, seconds=6.0)
        return str(request["url"])

    async def moment(self) -> str:
        request = await self.shop.rep.create()
        self.shop.stripe.advance(24 * 3600 - 180)
        self.shop.stripe.start_paying(self.shop.checkout.session["id"])
        return str(request["url"])

    async def receipt(self) -> str:
        request = await self.shop.paid()
        self.shop.checkout.fault("html_502", "/v1/payment_intents/*", count=20)
        return f"{request['url']}/receipt/{self.shop.checkout.session['payment_intent']}"

    async def trouble(self) -> str:
        request = await self.shop.rep.create()
        self.shop.stripe.advance(61)
        await self.shop.stored.use_stripe_key("")
        return str(request["url"])

    async def later(self) -> str:
        await self.shop.stored.use_stripe_key(self.shop.stripe.default_account.secret_key)
        address = await self.trouble()
        await self._change(StripeConnection, CONNECTION, state="draining")
        return address

    async def busy(self) -> str:
        for number in range(31):
            await self.shop.open(f"/p/{number:016}")
        return "/p/aaaaaaaaaaaaaaaa"

    async def _live(self, is_live: bool) -> None:
        await self._change(StripeConnection, CONNECTION, livemode=is_live)
        await self._change(Account, self.shop.account.id, mode="live" if is_live else "test")

    async def _change(self, table: type[Any], key: Any, **values: Any) -> None:
        async with self.shop.resources.database.write() as session:
            row = await session.get_one(table, key)
            for name, value in values.items():
                setattr(row, name, value)


async def shown(page: Any, answer: httpx.Response) -> None:
    """``answer`` in a browser under its own policy; it stands still, though it may have asked to be loaded again."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("refresh", "content-length")}
    url = str(answer.url)
    await page.unroute_all()
    await page.route(url, lambda route: route.fulfill(status=200, headers=headers, body=answer.text))
    await page.goto(url)


async def screens(page: Any, pages: Pages, looks: tuple[tuple[int, str], ...]) -> AsyncIterator[tuple[str, int, str]]:
    """Each page at each width and in each theme: its name, width and theme."""
    for name, answer in pages.items():
        await shown(page, answer)
        for width, theme in looks:
            await page.set_viewport_size({"width": width, "height": 800})
            await page.emulate_media(color_scheme=theme)
            yield name, width, theme
