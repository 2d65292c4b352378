"""A key of another Stripe account than the connected one: named, confirmed in a second step, and audited."""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from backend.accounts.stripe.connections import is_live_key, key_of
from backend.accounts.stripe.rotation import UNREACHABLE, api_with
from backend.core.errors import OtherStripeAccount, StripeUnreachable
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Audit, StripeConnection
from backend.stripe_api.client import Refused, Unreachable

log = structlog.get_logger()
CHANGED = "Stripe account changed"
NOTICE_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """A Stripe account with a name by which people recognize it."""

    id: str
    """``acct_…``, or '' if the key may not read it."""
    text: str
    confirmation: str
    """The value of ``confirm_account`` that chooses it: its id, else the last four characters of the key."""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """The active connection that would become draining, and the Stripe accounts before and after."""

    connection_id: str
    livemode: bool
    before: NamedAccount
    after: NamedAccount

    @property
    def is_same_account(self) -> bool:
        """True if both keys name the same Stripe account, so that this is a rotation."""
        return bool(self.before.id) and self.before.id == self.after.id

    def require(self, confirmation: object) -> None:
        """Raise ``OtherStripeAccount`` unless ``confirmation`` names the new account."""
        if not isinstance(confirmation, str) or confirmation.strip() != self.after.confirmation:
            mode = said("mode_live" if self.livemode else "mode_test")
            raise OtherStripeAccount(
                said("stripe_other_account", after=self.after.text, mode=mode, before=self.before.text),
                confirmation=self.after.confirmation,
            )

    def log(self, account_id: int | None, who: str) -> None:
        """Log the change, after it was stored."""
        told = {"before": self.before.text, "after": self.after.text}
        log.warning("Stripe account changed", account_id=account_id, who=who, **told)


def replaced_connection(
    connections: Iterable[StripeConnection], same: str | None, *, livemode: bool
) -> StripeConnection | None:
    """The active connection of this mode that drains if ``same``, or a new one, becomes active; None if there is none.

    A connection without key and webhook was never set up, so it belongs to no Stripe account and does not count.
    """
    for one in connections:
        is_set_up = bool(one.api_key or one.endpoint_id)
        if is_set_up and one.id != same and one.state == "active" and one.livemode == livemode:
            return one
    return None


async def account_change(
    resources: Resources, connections: Iterable[StripeConnection], same: str | None, key: str
) -> AccountChange | None:
    """The change of account that ``key`` causes, or None for a first connection and for a rotation.

    ``same``: id of the connection that the key rotates; None for a new connection. Raises ``StripeUnreachable``.
    """
    current = replaced_connection(connections, same, livemode=is_live_key(key))
    if current is None:
        return None
    before = await _named(resources, key_of(resources, current), current.id)
    return AccountChange(current.id, current.livemode, before, await _named(resources, key, "new"))


async def _named(resources: Resources, key: str, connection_id: str) -> NamedAccount:
    """The Stripe account of the key, by the key's ending if it may not read its account, as most restricted keys
    (docs/facts/stripe.md F1)."""
    ending = NamedAccount("", said("stripe_account_of_key", ending=key[-4:]), key[-4:])
    if not key:
        return NamedAccount("", said("stripe_account_of_connection", id=connection_id), "")
    try:
        found = await api_with(resources, key).account()
    except Refused:
        return ending
    except Unreachable as error:
        raise StripeUnreachable(UNREACHABLE) from error
    id, name = str(found.get("id") or ""), _business(found)
    return NamedAccount(id, f"{name} ({id})" if name else id, id) if id else ending


def _business(found: dict[str, object]) -> str:
    """The name on Stripe's dashboard, else the one in the business profile; '' without either."""
    settings, profile = found.get("settings"), found.get("business_profile")
    dashboard = settings.get("dashboard") if isinstance(settings, dict) else None
    shown = dashboard.get("display_name") if isinstance(dashboard, dict) else None
    named = profile.get("name") if isinstance(profile, dict) else None
    return str(shown or named or "")[:80]


def change_audit(change: AccountChange, *, at: float, account_id: int | None, who: str, connection_id: str) -> Audit:
    """The audit row of a confirmed change of the Stripe account, not added to any session yet.

    ``at``: epoch seconds; ``who``: the author; ``connection_id``: the new connection.
    """
    return Audit(
        at=at,
        account_id=account_id,
        who=who,
        what=CHANGED,
        before={"id": change.connection_id, "account": change.before.text},
        after={"id": connection_id, "account": change.after.text, "in_place_of": change.before.text},
    )


async def recent_changes(session: AsyncSession, account_id: int, now: float) -> list[Audit]:
    """Changes of the Stripe account in the 30 days before ``now`` (epoch seconds), newest first, at most three."""
    wanted = (Audit.account_id == account_id, Audit.what == CHANGED, col(Audit.at) > now - NOTICE_SECONDS)
    return list((await session.exec(select(Audit).where(*wanted).order_by(col(Audit.id).desc()).limit(3))).all())
