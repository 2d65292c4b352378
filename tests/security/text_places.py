"""Every place of our pages where somebody else's words may stand."""

from dataclasses import dataclass

import httpx

from backend.storage.models import Account, Audit, CardWrite, Deal, InboxEvent, PaymentRequest, StripeConnection
from tests.world import CONNECTION, World

OPERATOR = "admin-token-of-the-tests"
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
BOT = "WhatsApp/2.24"
"""It is shown a link's page, where a client would be sent on to Checkout."""
EVENT, AUDIT = "evt_1", 1


@dataclass
class TextPlaces:
    """``pages`` show what was written; ``http`` is signed in as the operator."""

    shop: World
    http: httpx.AsyncClient
    request_id: str
    pages: list[str]

    @property
    def _account_id(self) -> int:
        return self.shop.kommo.account.id

    async def write(self, text: str) -> None:
        """The rep's, the merchant's, Kommo's and Stripe's words, and those of errors."""
        lead_id = self.shop.first_deal.id
        async with self.shop.resources.database.write() as session:
            request = await session.get_one(PaymentRequest, (self._account_id, self.request_id))
            request.description = text
            account = await session.get_one(Account, self._account_id)
            account.subdomain = account.problem = text
            stage = {"id": 8, "name": text, "type": 0}
            account.pipelines = [{"id": 7, "name": text, "sort": 1, "statuses": [stage]}]
            connection = await session.get_one(StripeConnection, CONNECTION)
            connection.label = connection.problem = text
            event = await session.get_one(InboxEvent, (CONNECTION, EVENT))
            event.type = event.error = text
            write = await session.get_one(CardWrite, (self._account_id, lead_id, "note", "fact"))
            write.error, write.content = text, {"stayed": text}
            (await session.get_one(Deal, (self._account_id, lead_id))).problem = text
            audit = await session.get_one(Audit, AUDIT)
            audit.who, audit.what, audit.after = text, text, {text: text}

    async def shown(self) -> list[httpx.Response]:
        answers = [await self.http.get(page, headers={"User-Agent": BOT}) for page in self.pages]
        assert {answer.status_code for answer in answers} == {200}
        return answers

    async def asked(self, text: str) -> list[httpx.Response]:
        """Pages that may repeat what they were asked: refusals, and forms with what was typed."""
        form = f"/admin/accounts/{self._account_id}"
        several = {"create": "some", "create_users": text, "mode": text, "note_language": text}
        sent = [
            ("/oauth/kommo/callback", {"code": text, "client_id": text, "referer": text}),
            ("/oauth/kommo/callback", {"error": text}),
            ("/admin/deal", {"deal": text[:30]}),
            ("/admin", {"account": text[:20]}),
        ]
        typed = [
            (f"{form}/stripe", {"api_key": text, "webhook_secret": text}),
            (f"{form}/stages", {"7:paid": text, "7:first": text}),
            (f"{form}/rights", several),
            (f"{form}/deals", several),
            (f"{form}/mode", several),
            (f"{form}/business", {"contact_email": text[:90]}),
            (f"{form}/attach", {"payment_id": text, "lead_id": text}),
            (f"{form}/again", {"event_id": text}),
            (f"{form}/hook", {"anything": text}),
            (f"{form}/keys", {"client_secret": "", "anything": text}),
            ("/admin/integrations", {"client_id": "", "client_secret": text, "label": text, "subdomain": text}),
            ("/admin/login", {"token": text}),
        ]
        gets = [await self.http.get(path, params=given) for path, given in sent]
        posts = [await self.http.post(path, data=given) for path, given in typed]
        assert max(answer.status_code for answer in gets + posts) < 500
        return gets + posts


async def filled_places(shop: World) -> TextPlaces:
    """A deal with a link and a statement, an event given up, a note that failed, something changed by somebody."""
    await shop.stored.set_options(statement=True)
    request = await shop.rep.create()
    account_id, lead_id = shop.kommo.account.id, shop.first_deal.id
    async with shop.resources.database.write() as session:
        session.add(InboxEvent(connection_id=CONNECTION, id=EVENT, type="x", received_at=0.0, state="dead"))
        session.add(CardWrite(account_id=account_id, lead_id=lead_id, kind="note", fact_id="fact", state="dead"))
        await session.merge(Deal(account_id=account_id, lead_id=lead_id, wanted=5))
        session.add(Audit(id=AUDIT, at=0.0, account_id=account_id, who="", what=""))
    statement = (await shop.rep.deal())["statement_url"].removeprefix(str(shop.http.base_url))
    entered = await shop.http.post("/admin/login", data={"token": OPERATOR}, headers=OUR_PAGE)
    assert entered.status_code == 303, entered.text
    shop.http.headers.update(OUR_PAGE)
    link = request["url"].removeprefix(str(shop.http.base_url))
    topics = ("/setup/kommo", "/setup/stripe", "/automation/stages", "/events")
    admin = [f"/admin{page}?account={account_id}" for page in topics]
    admin += [f"/admin/deal?account={account_id}&deal={lead_id}", "/admin/accounts"]
    return TextPlaces(shop, shop.http, request["id"], [link, f"{link}/back", statement, *admin])
