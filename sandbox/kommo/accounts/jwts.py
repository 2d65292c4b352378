"""The three kinds of JWT that Kommo signs: access tokens, the widget's one-time tokens, Salesbot's tokens."""

from functools import cache
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.grants import ACCESS_LIFE, ONE_TIME_LIFE, Integration
from sandbox.kommo.records import Json, User
from sandbox.kommo.switches import Switches

_SKEW = {"none": 0, "minus_60": -60, "plus_60": 60}


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    """Kommo publishes no key, so nobody can verify these; one key serves every world of a process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def access_token(
    account: Account, integration: Integration, user_id: int, api_domain: str, life: float = ACCESS_LIFE
) -> str:
    """RS256, ``exp`` after ``life`` seconds."""
    ids, switches, now = account.setting.ids, account.switches, account.now
    claims: Json = {
        "sub": str(user_id),
        "exp": int(now + life),
        "account_id": account.id,
        "base_domain": "kommo.com",
        "api_domain": api_domain,
        "scopes": list(integration.scopes),
    }
    if switches.reads("token_claims", "full"):
        claims |= {"aud": integration.client_id, "jti": ids.text(80), "iat": now, "nbf": now}
        claims |= {"grant_type": "", "version": 2, "hash_uuid": ids.uuid(), "user_flags": 0}
    else:
        # Two tokens made within one second must still differ.
        claims["scopes"] = [*integration.scopes, f"sandbox_{ids.text(12)}"]
    return jwt.encode(claims, _signing_key(), algorithm="RS256")


def one_time_token(account: Account, integration: Integration, user: User) -> str:
    """The widget's ``X-Auth-Token``: HS256 with the integration's secret, ``exp`` = ``iat`` + 1800 unless switched."""
    switches = account.switches
    now = account.now + _SKEW[switches["one_time_skew"]]
    claims: Json = {
        "iss": f"https://{account.subdomain}.kommo.com",
        "aud": audience(integration.redirect_uri, switches),
        "jti": account.setting.ids.uuid(),
        "iat": now,
        "nbf": now,
        "exp": now + ONE_TIME_LIFE[switches["one_time_life"]],
        "account_id": account.id,
        "subdomain": account.subdomain,
        "client_uuid": integration.client_id,
        "user_id": user.id,
    }
    if switches.reads("one_time_is_admin", "present"):
        claims["is_admin"] = user.is_admin
    return jwt.encode(claims, integration.client_secret, algorithm="HS256")


def audience(redirect_uri: str, switches: Switches) -> str:
    parts = urlsplit(redirect_uri)
    host = parts.netloc if switches.reads("one_time_aud", "host_port") else parts.hostname
    return f"{parts.scheme}://{host}"


def salesbot_token(account: Account, integration: Integration, lead_id: int) -> str:
    """What a bot's request carries; HS512 unless switched."""
    claims: Json = {
        "exp": account.now + 300,
        "subdomain": account.subdomain,
        "account_id": account.id,
        "entity_id": lead_id,
    }
    if account.switches.reads("salesbot_claims", "documented"):
        claims |= {"client_uid": integration.client_id, "entity_type": 2}
    else:
        claims |= {"iss": f"https://{account.subdomain}.kommo.com", "aud": integration.redirect_uri}
        claims |= {"iat": account.now, "nbf": account.now, "client_uuid": integration.client_id}
        claims |= {"entity_type": "2", "bot_type": "salesbot"}
    return jwt.encode(claims, integration.client_secret, algorithm=account.switches["salesbot_alg"])
