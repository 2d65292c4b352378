"""Who may do what in the deal card: Kommo's own rights on the deal, and the admin's rules on top.

Rights and deals are remembered for five minutes in each process, so that a card that polls never reaches Kommo.
"""

from dataclasses import dataclass
from typing import Literal, TypeVar

from backend.accounts.integrations import all_integrations, client_secret
from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.accounts.tokens.relocation import check_named_host
from backend.accounts.visibility import sees, sees_any
from backend.core.errors import DealNotFound, KommoUnreachable, NotAllowed, NotAuthorized, NotConnected
from backend.kommo_api.auth.widget_token import BadWidgetToken, named_client_id, read_widget_token
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.kommo_api.values import Lead, User
from backend.resources import Resources
from backend.storage.models import Account

REMEMBER_SECONDS = 300.0
REMEMBER_GONE_SECONDS = 10.0
LAST_WORD_SECONDS = 24 * 3600.0
"""So long Kommo's last word about a deal or a user counts while Kommo can't be asked."""
REMEMBER_AT_MOST = 10_000
LARGEST_ID = 2**63 - 1
Action = Literal["view", "create", "cancel", "refund"]
Known = TypeVar("Known", Lead, User)


@dataclass(frozen=True, slots=True)
class WidgetUser:
    """A proven user of a connected account."""

    account: Account
    user_id: int


async def widget_user(resources: Resources, token: str) -> WidgetUser:
    """By ``X-Auth-Token``; ``NotAuthorized`` where it proves nothing. The account is known by id, not by host."""
    if not token:
        raise NotAuthorized("The call carries no X-Auth-Token. Open it from the deal card.")
    async with resources.database.read() as session:
        integrations = await all_integrations(session)
        try:
            named = named_client_id(token)
            theirs = [one for one in integrations if one.client_id == named]
            said = read_widget_token(
                token,
                secrets={one.client_id: client_secret(resources, one) for one in theirs},
                audiences={one.client_id: one.redirect_uri for one in theirs},
                now=resources.clock(),
            )
        except BadWidgetToken as error:
            raise NotAuthorized(str(error)) from None
        account = await session.get(Account, said.account_id) if 0 < said.account_id <= LARGEST_ID else None
    if account is None or account.client_id != said.client_id:  # another tenant's secret signs for its own account only
        raise NotAuthorized("This Kommo account is not connected here. An administrator installs the integration.")
    await check_named_host(resources, account, said.subdomain)
    return WidgetUser(account, said.user_id)


async def check_lead(resources: Resources, account: Account, user_id: int, lead_id: int, action: Action) -> Lead | None:
    """The deal as Kommo shows it, or None when Kommo can't be asked; then reading and creating go on.

    ``DealNotFound`` where Kommo has no such deal, ``NotAllowed`` where the user may not see it or do this,
    ``KommoUnreachable`` where only Kommo could tell that they may. While Kommo can't be asked, its last word counts,
    except about who is an admin and may refund.
    """
    lead: Lead | None
    known: Lead | None
    try:
        lead = known = await _lead(resources, account.id, lead_id, fresh=action == "create")
    except (KommoError, NotConnected):
        lead, known = None, _last_word(resources, ("lead", account.id, lead_id), Lead)
    user, was_told = await _user(resources, account.id, user_id)
    if not _sees(user, user_id, known):
        raise NotAllowed("In Kommo you may not see this deal.")
    if action != "view" and not _allowed(account, user if was_told else None, user_id, action):
        if not was_told and action == "refund" and options_of(account).refunds == "admins":
            raise KommoUnreachable("Kommo can't be asked right now whether you are an admin. Try again in a moment.")
        raise NotAllowed("Your administrator has not allowed you to do this.")
    return lead


def may(resources: Resources, account: Account, user_id: int, action: Action) -> bool:
    """What the card offers; the call itself is checked again."""
    known = resources.remembered.get(("user", account.id, user_id))
    return _allowed(account, known[1] if known and isinstance(known[1], User) else None, user_id, action)


def _allowed(account: Account, user: User | None, user_id: int, action: Action) -> bool:
    options = options_of(account)
    if action == "refund":
        if isinstance(options.refunds, list):
            return user_id in options.refunds
        return options.refunds == "admins" and user is not None and user.is_admin
    return options.create == "all" or user_id in options.create


def _sees(user: User | None, user_id: int, lead: Lead | None) -> bool:
    """Unknown users see their own deals; without the deal, whoever may see any."""
    if lead is None:
        return user is None or sees_any(user)
    return lead.responsible_user_id == user_id if user is None else sees(user, lead)


async def _lead(resources: Resources, account_id: int, lead_id: int, *, fresh: bool) -> Lead:
    key = ("lead", account_id, lead_id)
    known = None if fresh else _recall(resources, key)
    if known is None:
        lead = await with_kommo(resources, account_id, lambda api: api.lead(lead_id))
        _remember(resources, key, lead or "gone", REMEMBER_SECONDS if lead else REMEMBER_GONE_SECONDS)
        known = lead or "gone"
    if not isinstance(known, Lead):
        raise DealNotFound("This deal does not exist in Kommo (any more).")
    return known


async def _user(resources: Resources, account_id: int, user_id: int) -> tuple[User | None, bool]:
    """None where Kommo does not tell, since our token is not an admin's. With False: its last word, if any."""
    key = ("user", account_id, user_id)
    known = _recall(resources, key)
    if known is None:
        try:
            known = await with_kommo(resources, account_id, lambda api: api.user(user_id)) or "unknown"
        except KommoForbidden:
            known = "unknown"
        except (KommoError, NotConnected):
            return _last_word(resources, key, User), False
        _remember(resources, key, known, REMEMBER_SECONDS)
    return (known if isinstance(known, User) else None), True


def _last_word(resources: Resources, key: tuple[str, int, int], kind: type[Known]) -> Known | None:
    until, value = resources.remembered.get(key, (0.0, None))
    return value if isinstance(value, kind) and until + LAST_WORD_SECONDS > resources.clock() else None


def _recall(resources: Resources, key: tuple[str, int, int]) -> object | None:
    known = resources.remembered.get(key)
    return known[1] if known and known[0] > resources.clock() else None


def _remember(resources: Resources, key: tuple[str, int, int], value: object, seconds: float) -> None:
    if len(resources.remembered) >= REMEMBER_AT_MOST:
        resources.remembered.clear()
    resources.remembered[key] = (resources.clock() + seconds, value)
