"""One debt and everything that may become of it, day by day, against what is true at Stripe and at Kommo."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from backend.core.days import day_at
from backend.deal_sync.merges.feed import look_for_merges
from backend.storage.models import Account, Reminder, Sending
from sandbox.kommo.accounts.chat_acts import client_writes
from sandbox.stripe import Payer
from tests.automation.reminders.conftest import DAY, Merchant

OFFERED = ("task", "bot", "chat")
TASK_STATES = ("done", "dropped")


@dataclass
class Life:
    """A deal with one debt. ``acts`` happen in a random order, some more than once; ``away``: days without a worker."""

    merchant: Merchant
    dice: Random
    zone: str
    lead_id: int = 0
    link: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    quiet: bool = False
    """A person or the deal said that nobody is to be reminded."""

    @property
    def world(self) -> Any:
        return self.merchant.world

    async def begin(self) -> None:
        async with self.world.resources.database.write() as session:
            (await session.get_one(Account, self.world.account.id)).timezone = self.zone
        days = self.dice.sample(range(-3, 9), self.dice.randint(1, 3))
        rules = [{"days": one, "channel": self.dice.choice(OFFERED)} for one in days]
        chosen = {"rules": rules, "overdue_days": self.dice.randint(0, 3), "escalate_days": 2, "escalate_to": 7}
        self.told.append(f"{self.zone} {chosen}")
        await self.merchant.put(chosen)
        self.lead_id = self.world.lead(f"Deal {self.dice.random()}")
        self.world.kommo.person().tag_lead(self.lead_id, "stripe-test")
        client_writes(self.world.account, self.lead_id, "Hello", "telegram")
        self.world.stripe.advance(60)
        await self.ask()

    async def ask(self, **more: Any) -> None:
        due = day_at(self.world.clock(), self.zone) + timedelta(days=self.dice.randint(0, 6))
        dates = {"due_on": due.isoformat(), "valid_until": None}
        self.link = await self.world.rep.create(lead_id=self.lead_id, **dates | more)
        self.told.append(f"asked, due on {due}")

    def session(self) -> dict[str, Any] | None:
        """The newest at Stripe of this debt."""
        mine = [one for one in self.world.checkout.sessions if one["metadata"]["kommo_request_id"] == self.link["id"]]
        return mine[-1] if mine else None

    def is_unpaid(self) -> bool:
        """As Stripe has it: neither paid, nor under way."""
        session = self.session()
        if session is None or session["status"] != "complete":
            return True
        intent = self.world.stripe.locate(session["payment_intent"])[1]
        return intent["status"] in ("requires_payment_method", "canceled")

    async def pay(self, kind: str = "instant") -> None:
        opened = await self.world.open(self.link["url"])
        session = self.session()
        if opened.status_code == 303 and session is not None and session["status"] == "open":
            self.world.stripe.pay_session(session["id"], Payer(kind) if kind == "delayed" else None)

    async def by_bank(self) -> None:
        await self.pay("delayed")

    async def bank_says(self) -> None:
        session = self.session()
        if session is not None and session["status"] == "complete":
            intent = self.world.stripe.locate(session["payment_intent"])[1]
            if intent["status"] == "processing":
                self.world.stripe.settle_payment(intent["id"], self.dice.choice(["paid", "failed"]))
                await self.world.rep.post(f"/widget/deals/{self.lead_id}/check")

    async def dispute(self) -> None:
        session = self.session()
        if session is not None and session["payment_status"] == "paid":
            self.world.stripe.open_dispute(session["payment_intent"])

    async def reply(self) -> None:
        client_writes(self.world.account, self.lead_id, "Tomorrow", "telegram")

    async def cancel(self) -> None:
        answer = await self.world.rep.post(f"/widget/requests/{self.link['id']}/cancel")
        self.quiet = self.quiet or answer.status_code == 200

    async def replace(self) -> None:
        older = self.link
        try:
            await self.ask(replaces=older["id"])
        except AssertionError:  # refused: it is paid, cancelled or under way
            self.link = older

    async def close(self) -> None:
        self.world.account.leads[self.lead_id].status_id = 143
        self.quiet = True

    async def tag(self) -> None:
        self.world.kommo.person().tag_lead(self.lead_id, "no-reminders")
        self.quiet = True

    async def merge(self) -> None:
        kept = self.world.lead("The deal that stays")
        self.world.kommo.person().tag_lead(kept, "stripe-test")
        self.world.kommo.person().merge_leads(kept, self.lead_id)
        self.lead_id = kept
        await look_for_merges(self.world.resources)

    async def stop(self) -> None:
        await self.world.rep.post(f"/widget/deals/{self.lead_id}/reminders", {"stopped": True})
        self.quiet = True

    async def skip(self) -> None:
        coming = ((await self.world.rep.deal(self.lead_id)).get("reminders") or {}).get("coming") or []
        for one in coming:
            path = f"/widget/requests/{one['request_id']}/reminders/{self.dice.choice(['skip', 'send'])}"
            await self.world.rep.post(path, {"step": one["step"]})

    async def stripe_away(self) -> None:
        self.world.checkout.fault("cut_before", "/v1/checkout/sessions/*", count=self.dice.randint(1, 12))

    async def kommo_away(self) -> None:
        self.world.kommo.faults.add("502_html", times=self.dice.randint(1, 12))

    async def outage(self) -> None:
        self.world.stripe.advance(self.dice.choice([1, 3, 10]) * DAY)

    @property
    def acts(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        return (
            self.pay, self.by_bank, self.bank_says, self.dispute, self.reply, self.cancel, self.replace, self.close,
            self.tag, self.merge, self.stop, self.skip, self.stripe_away, self.kommo_away, self.outage,
        )  # fmt: skip

    async def live(self, days: int) -> None:
        """Random acts on random days; after each turn what was sent is held against the truth."""
        plan = [self.dice.choice(self.acts) if self.dice.random() < 0.4 else None for _ in range(days)]
        for act in plan:
            self.world.stripe.advance(self.dice.uniform(0.3, 1.0) * DAY)
            if act is not None:
                self.told.append(act.__name__)
                await act()
            await self.look()
        self.world.stripe.faults.ordered.clear()
        self.world.kommo.faults.clear()
        for _ in range(12):
            self.world.stripe.advance(3 * DAY)
            await self.look()

    async def look(self) -> None:
        before, unpaid = len(self.world.account.chats.runs), self.is_unpaid()
        known = {row.id for row in await self.world.rows(Sending)}
        await self.merchant.turn()
        planned = [row for row in await self.world.rows(Sending) if row.id not in known]
        started = len(self.world.account.chats.runs) - before
        assert unpaid or not (planned or started), f"a reminder of what is paid or under way: {self.told}"
        assert all(row.request_id == self.link["id"] for row in planned), f"a reminder of an older link: {self.told}"
        assert not (self.quiet and planned), f"a reminder though nobody was to be reminded: {self.told}"
        assert len(planned) <= 1, f"a burst: {self.told}"

    async def end(self) -> None:
        """Each step at the most once, and where nothing could be sent a person knows."""
        rows = [row for row in await self.world.rows(Reminder) if row.request_id == self.link["id"]]
        numbers = sorted(row.number for row in rows)
        assert numbers == list(range(1, len(rows) + 1)), self.told
        sendings = {row.id: row for row in await self.world.rows(Sending)}
        for row in rows:
            if row.state == "sent":
                sending = sendings[row.sending_id]
                assert sending.due_at is None, f"it was never sent: {self.told}"
                assert sending.state in TASK_STATES, self.told
                if sending.channel == "task":
                    assert sending.task_id in self.world.account.tasks, self.told
            if row.state == "task":
                texts = [task.text for task in self.world.account.tasks.values() if task.entity_id == self.lead_id]
                assert self.quiet or not self.is_unpaid() or texts, f"a person was to be told: {self.told}"
