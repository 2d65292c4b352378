"""The steps before an account's first payment, one per thing that somebody has to do."""

from dataclasses import dataclass

from sqlmodel import col, select

from backend.accounts.options import options_of
from backend.accounts.stripe.connections import connections_of
from backend.ledger.load import is_live
from backend.resources import Resources
from backend.storage.models import Account, LedgerEntry, WidgetSeen


@dataclass(frozen=True, slots=True)
class Step:
    """A step. ``is_needed``: without it no client can pay; ``path``: the page on which it is done."""

    name: str
    path: str
    is_done: bool
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Checklist:
    """The steps in order."""

    steps: tuple[Step, ...]

    @property
    def is_ready(self) -> bool:
        """Whether every needed step is done."""
        return all(one.is_done for one in self.steps if one.is_needed)

    @property
    def missing(self) -> list[Step]:
        """The needed steps that are not done."""
        return [one for one in self.steps if one.is_needed and not one.is_done]


async def checklist(resources: Resources, account_id: int) -> Checklist:
    """Return the account's steps from our database alone."""
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
        connections = [one for one in await connections_of(session, account_id) if one.state == "active"]
        seen = await session.get(WidgetSeen, account_id)
        paid = select(LedgerEntry.id).where(
            LedgerEntry.account_id == account_id, LedgerEntry.kind == "payment", col(LedgerEntry.lead_id).is_not(None)
        )
        has_payment = (await session.exec(paid.limit(1))).first() is not None
    options = options_of(account)
    stages = any(rule.get("first") or rule.get("paid") for rule in account.stages.values())
    is_test = bool(connections) and not is_live(account, connections)
    return Checklist(
        (
            Step("kommo", "/admin/setup/kommo", account.state == "connected" and account.set_up_at > 0, is_needed=True),
            Step("stripe", "/admin/setup/stripe", bool(connections), is_needed=True),
            Step("stages", "/admin/automation/stages", stages),
            Step("business", "/admin/setup/business", bool(options.business_name)),
            Step("widget", "/admin/setup/kommo", seen is not None),
            Step("payment", "/admin/setup/test", has_payment),
            Step("live", "/admin/setup/mode", bool(connections) and not is_test),
        )
    )
