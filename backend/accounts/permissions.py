"""Who may do what in the deal card: Kommo's own rights on the deal, and the admin's rules on top.

Rights and deals are cached for five minutes in each process, so that a card that polls never reaches Kommo.
"""

from dataclasses import dataclass
from typing import Literal

from backend.accounts.integrations import all_integrations, client_secret
from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.accounts.tokens.relocation import check_named_host
from backend.accounts.visibility import sees, sees_any
from backend.core.cache import CacheSpec
from backend.core.errors import DealNotFound, KommoUnreachable, NotAllowed, NotAuthorized, NotConnected
from backend.kommo_api.auth.widget_token import BadWidgetToken, named_client_id, read_widget_token
from backend.kommo_api.errors import KommoError, KommoForbidden
from backend.kommo_api.values import Lead, User
from backend.resources import Resources
from backend.storage.models import Account

GONE_SECONDS = 10.0
LAST_WORD_SECONDS = 24 * 3600.0
"""How long Kommo's last word about a deal or a user counts while Kommo can't be asked."""
DEALS = CacheSpec[tuple[int, int], Lead | Literal["gone"]](300.0, most=10_000, stale_seconds=LAST_WORD_SECONDS)
"""By account and deal."""
USERS = CacheSpec[tuple[int, int], User | Literal["unknown"]](300.0, most=10_000, stale_seconds=LAST_WORD_SECONDS)
"""By account and user; ``unknown`` where our token may not read users."""
LARGEST_ID = 2**63 - 1
Action = Literal["view", "create", "cancel", "refund"]


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
        last_word = resources.caches[DEALS].last_known((account.id, lead_id))
        lead, known = None, last_word if isinstance(last_word, Lead) else None
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
    known = resources.caches[USERS].last_known((account.id, user_id))
    return _allowed(account, known if isinstance(known, User) else None, user_id, action)


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
    cache, key = resources.caches[DEALS], (account_id, lead_id)
    known = None if fresh else cache.get(key)
    if known is None:
        known = await with_kommo(resources, account_id, lambda api: api.lead(lead_id)) or "gone"
        cache.put(key, known, GONE_SECONDS if known == "gone" else None)
    if known == "gone":
        raise DealNotFound("This deal does not exist in Kommo (any more).")
    return known


async def _user(resources: Resources, account_id: int, user_id: int) -> tuple[User | None, bool]:
    """None where Kommo does not tell, since our token is not an admin's. With False: its last word, if any."""
    cache, key = resources.caches[USERS], (account_id, user_id)
    known = cache.get(key)
    if known is None:
        try:
            known = await with_kommo(resources, account_id, lambda api: api.user(user_id)) or "unknown"
        except KommoForbidden:
            known = "unknown"
        except (KommoError, NotConnected):
            last_word = cache.last_known(key)
            return (last_word if isinstance(last_word, User) else None), False
        cache.put(key, known)
    return (known if isinstance(known, User) else None), True
