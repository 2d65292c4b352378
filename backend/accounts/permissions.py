"""Permissions in the deal card: Kommo's own rights on the deal, and the admin's rules on top."""

from dataclasses import dataclass
from hashlib import sha256

from backend.accounts.integrations import client_secret, named_integration
from backend.accounts.judgement import Action, Verdict, judge, may_be_refused
from backend.accounts.options import options_of
from backend.accounts.tokens.proofs import note_signature
from backend.accounts.tokens.relocation import check_named_host
from backend.accounts.words import lead_word, user_word
from backend.core.cache import CacheSpec
from backend.core.errors import KeysNotKnown, KommoNotConnected, KommoUnreachable, NotAllowed, NotAuthorized
from backend.kommo_api.auth.widget_token import (
    BadWidgetToken,
    WidgetClaims,
    check_not_expired,
    named_client_id,
    read_widget_token,
)
from backend.kommo_api.values import Lead, User
from backend.resources import Resources
from backend.storage.answer_memory import Remembered, remembered
from backend.storage.models import Account, Integration

KEYS_NOT_KNOWN = (
    "This server does not know the secret key of the Kommo integration yet. Its operator enters it, "
    "from Kommo's tab Keys and scopes, at"
)
HIDDEN = "In Kommo you may not see this deal."
DISCONNECTED = "Kommo is not connected any more. Let an administrator connect it again."
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class WidgetUser:
    """An authenticated user of a connected account."""

    account: Account
    user_id: int


async def widget_user(resources: Resources, token: str) -> WidgetUser:
    """The user proven by a widget token (``X-Auth-Token``, docs/facts/kommo-api.md 4).

    The account is identified by its id, because its subdomain may have changed. Raises ``NotAuthorized``, or
    ``KeysNotKnown`` for an integration that is unknown here.
    """
    if not token:
        raise NotAuthorized("The request has no X-Auth-Token. Open it from the deal card.")
    now, digest = resources.clock(), sha256(token.encode()).digest()
    try:
        proven = await remembered(
            resources.database, resources.caches[TOKENS], digest, now, lambda: _proven(resources, token)
        )
        check_not_expired(proven.said, now)
    except BadWidgetToken as error:
        raise NotAuthorized(str(error)) from None
    await check_named_host(resources, proven.account, proven.said.subdomain)
    await note_signature(resources, proven.integration)
    return WidgetUser(proven.account, proven.said.user_id)


@dataclass(frozen=True, slots=True)
class _Proven:
    """What a verified token says, and the rows of its integration and account."""

    said: WidgetClaims
    integration: Integration
    account: Account


TOKENS = CacheSpec[bytes, Remembered[_Proven]](300.0, most=2_000)
"""By the token's digest."""


async def _proven(resources: Resources, token: str) -> _Proven:
    named = named_client_id(token)
    async with resources.database.look() as session:
        integration = await named_integration(session, named)
        if integration is None:
            raise KeysNotKnown(f"{KEYS_NOT_KNOWN} {resources.addresses.public_url}/admin/accounts.")
        said = read_widget_token(
            token,
            secrets={named: client_secret(resources, integration)},
            audiences={named: integration.redirect_uri},
            now=resources.clock(),
        )
        usable = all(0 < one <= LARGEST_ID for one in (said.account_id, said.user_id))
        account = await session.get(Account, said.account_id) if usable else None
    if account is None or account.client_id != said.client_id:  # another tenant's secret signs for its own account only
        raise NotAuthorized("This Kommo account is not connected here. An administrator installs the integration.")
    return _Proven(said, integration, account)


@dataclass(frozen=True, slots=True)
class Access:
    """What a user may do with a deal. ``lead`` and ``user`` are as Kommo answered now, or None if it did not.

    ``own_only``: only the requests that the user created may be shown.
    """

    lead: Lead | None
    user: User | None
    own_only: bool = False


async def check_lead(resources: Resources, account: Account, user_id: int, lead_id: int, action: Action) -> Access:
    """The user's access to the deal for this action. Before a refund Kommo is asked at once.

    Raises ``NotAllowed`` if Kommo or the administrator forbids it, ``DealNotFound`` if Kommo has no such deal,
    ``KommoUnreachable`` if only a current answer would do, and ``KommoNotConnected`` if the account's tokens are dead.
    """
    pays_out = action == "refund"  # a dismissed employee must not pay out what a process remembers of their rights
    user = await user_word(resources, account, user_id, fresh=pays_out)
    if may_be_refused(user):
        raise NotAllowed(HIDDEN)
    lead = await lead_word(resources, account, lead_id, fresh=pays_out or action == "create")
    disconnected = account.state != "connected" or user.disconnected or lead.disconnected
    verdict = judge(action, user, lead, disconnected=disconnected)
    _check_verdict(verdict)
    told = user.value if user.source == "told" else None
    if action not in ("view", "check") and not _allowed(account, told, user_id, action):
        raise NotAllowed("Your administrator has not allowed you to do this.")
    return Access(lead.value if lead.source == "told" else None, told, verdict == "own only")


async def told_user(resources: Resources, account: Account, user_id: int, *, fresh: bool = False) -> User:
    """The user as Kommo answered in the last five minutes; ``fresh`` asks Kommo even if the user is cached.

    Raises ``NotAllowed`` for a user whom Kommo does not have, ``KommoNotConnected`` if the account's tokens are dead,
    and ``KommoUnreachable`` without an answer.
    """
    word = await user_word(resources, account, user_id, fresh=fresh)
    if word.disconnected:
        raise KommoNotConnected(DISCONNECTED)
    if word.source != "told":
        raise KommoUnreachable("Kommo does not answer what you may do. Try again in a moment.")
    if word.value is None:
        raise NotAllowed("Kommo has no such user in this account.")
    return word.value


def _check_verdict(verdict: Verdict) -> None:
    if verdict == "no":
        raise NotAllowed(HIDDEN)
    if verdict == "disconnected":
        raise KommoNotConnected(DISCONNECTED)
    if verdict == "not told":
        raise KommoUnreachable("Kommo cannot confirm right now that you may do this. Try again in a moment.")


def may(account: Account, access: Access, user_id: int, action: Action) -> bool:
    """True if the admin's rules allow the action, so that the card offers it. The call itself is checked again."""
    return _allowed(account, access.user, user_id, action)


def _allowed(account: Account, user: User | None, user_id: int, action: Action) -> bool:
    options = options_of(account)
    if action == "refund":
        if isinstance(options.refunds, list):
            return user_id in options.refunds
        return options.refunds == "admins" and user is not None and user.is_admin
    return options.create == "all" or user_id in options.create
