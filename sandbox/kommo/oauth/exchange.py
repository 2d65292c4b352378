"""``POST /oauth2/access_token``: a code or a refresh token becomes a new pair (docs/facts/kommo-api.md 2)."""

from typing import Any

from sandbox.kommo.accounts.grants import ACCESS_LIFE, Integration, Pair
from sandbox.kommo.oauth.oauth_errors import bad_client, bad_code, bad_refresh, bad_request
from sandbox.kommo.records import Json
from sandbox.kommo.world import KommoWorld


def exchange(world: KommoWorld, body: Any) -> Json:
    """The new pair as Kommo answers it, or a ``Problem``."""
    if not isinstance(body, dict):
        raise bad_request(world.switches)
    integration = _client(world, body)
    grants = {"authorization_code": _from_code, "refresh_token": _from_refresh}
    if body.get("grant_type") not in grants:
        raise bad_request(world.switches)
    pair = grants[body["grant_type"]](world, integration, body)
    return {
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFE,
        "server_time": int(world.clock()),
        "access_token": pair.access,
        "refresh_token": pair.refresh,
    }


def _client(world: KommoWorld, body: Json) -> Integration:
    integration = world.integrations.get(str(body.get("client_id")))
    if integration is None:
        raise bad_client(world.switches, "client_id")
    if body.get("client_secret") != integration.client_secret:
        raise bad_client(world.switches, "client_secret")
    return integration


def _from_code(world: KommoWorld, integration: Integration, body: Json) -> Pair:
    code = world.wallet.codes.get(str(body.get("code")))
    if code is None:
        raise bad_code(world.switches, "Cannot decrypt the authorization code")
    if code.client_id != integration.client_id:
        raise bad_code(world.switches, "Authorization code was not issued to this client")
    if code.used:
        raise bad_code(world.switches, "Authorization code has been revoked")
    if not world.code_is_live(code):
        raise bad_code(world.switches, "Authorization code has expired")
    if body.get("redirect_uri") != integration.redirect_uri:
        raise bad_code(world.switches, "Redirect URI is not associated with client")
    code.used = True
    return world.issue_pair(integration.client_id, code.user_id)


def _from_refresh(world: KommoWorld, integration: Integration, body: Json) -> Pair:
    pair = world.wallet.by_refresh.get(str(body.get("refresh_token")))
    if pair is None:
        raise bad_refresh(world.switches, "Cannot decrypt the refresh token")
    if pair.client_id != integration.client_id:
        raise bad_refresh(world.switches, "Token is not linked to client")
    if body.get("redirect_uri") != integration.redirect_uri:
        raise bad_code(world.switches, "Redirect URI is not associated with client")
    if pair.revoked or not world.user_of(pair).is_active or not _may_follow(world, pair):
        raise bad_refresh(world.switches, "Token has been revoked")
    if not world.refresh_is_live(pair):
        raise bad_refresh(world.switches, "Token has expired")
    return _rotated(world, pair)


def _may_follow(world: KommoWorld, pair: Pair) -> bool:
    """A token that was exchanged already is good again only in grace, while its follower was never used."""
    if pair.follower is None:
        return True
    return world.switches.reads("old_refresh_token", "grace") and not pair.follower.seen


def _rotated(world: KommoWorld, pair: Pair) -> Pair:
    pair.seen = True
    if pair.follower:
        pair.follower.revoked = pair.follower.access_revoked = True
    pair.follower = world.issue_pair(pair.client_id, pair.user_id)
    pair.access_revoked = world.switches.reads("old_access_token", "dies")
    return pair.follower
