"""Getting in: OAuth, tokens, and the widget's proof of who asks."""

from sandbox.kommo.doubts.shape import Doubts

OAUTH: Doubts = {
    "old_refresh_token": (
        "2",
        "what becomes of a refresh token once a new pair was given",
        {
            "strict": "it is dead at once",
            "grace": "it works until the new access or refresh token is used",
        },
    ),
    "old_access_token": (
        "2",
        "what becomes of an access token when its pair is refreshed",
        {"lives": "it works until its own 24 hours end", "dies": "it is revoked at once"},
    ),
    "code_error_status": (
        "2",
        "status of an expired, used or foreign code and of a wrong redirect_uri",
        {"400": "bad request with a hint", "401": "unauthorized with a hint"},
    ),
    "code_error_hint": (
        "2",
        "hint in the refusal of an expired, used or foreign code and of a wrong redirect_uri",
        {"named": "an English sentence", "absent": "none"},
    ),
    "client_error": (
        "2",
        "refusal of a wrong client_id or client_secret",
        {"401_bare": "unauthorized without a hint", "400_hint": "bad request with a hint that names the parameter"},
    ),
    "account_error": (
        "2",
        "refusal of a code or a refresh token that is sent to another account's host",
        {
            "400_hint": "bad request with the hint Invalid account",
            "401": "unauthorized without a hint",
            "404": "not found without a hint",
            "301": "moved for good",
        },
    ),
    "oauth_error_language": (
        "2",
        "language of title and detail in the token endpoint's errors",
        {"english": "English", "localized": "the language of the account"},
    ),
    "oauth_error_type": (
        "2",
        "host in the type of the token endpoint's errors",
        {"kommo": "developers.kommo.com", "amocrm": "developers.amocrm.ru"},
    ),
    "token_claims": (
        "2",
        "which claims an access token carries beside those seen on Kommo",
        {"full": "aud, jti, iat, nbf, grant_type, version and hash_uuid too", "bare": "only those seen"},
    ),
    "subdomain_route": (
        "2",
        "whether /oauth2/account/current/subdomain exists on Kommo",
        {"present": "it answers by X-Refresh-Token", "absent": "it is an unknown route"},
    ),
    "install_hook": (
        "1.1",
        "whether Kommo's server calls the redirect URI when a private integration is installed",
        {"never": "no call comes", "comes": "one GET with from_widget=1, 3 seconds, never repeated"},
    ),
    "from_widget": (
        "14",
        "from_widget in the install hook",
        {"sent": "from_widget=1", "absent": "no such parameter: nothing tells the hook from a forged redirect"},
    ),
    "referer_name": (
        "1.1",
        "name of the parameter that carries the account's host",
        {"referer": "referer, as in all examples", "referrer": "referrer, as in one sentence"},
    ),
    "platform_parameter": (
        "1.1",
        "an extra number on redirects",
        {"absent": "not sent", "present": "platform=2 is sent"},
    ),
    "disable_order": (
        "3",
        "when the tokens die at uninstall",
        {"tokens_first": "before the hook is sent", "hook_first": "after the hook was answered"},
    ),
    "disable_repeats": (
        "3",
        "how often the disable hook is sent",
        {"once": "once, whatever is answered", "twice": "a second time, with the same signature"},
    ),
    "disable_signature": (
        "3",
        "case of the hex signature",
        {"lower": "lower case", "upper": "upper case"},
    ),
}

WIDGET: Doubts = {
    "one_time_aud": (
        "4",
        "aud of the widget's token when the redirect URI has a port",
        {"host": "scheme://host", "host_port": "scheme://host:port"},
    ),
    "one_time_life": (
        "4",
        "life of the widget's token",
        {"30_minutes": "as in Kommo's sample", "15_minutes": "as one client takes it"},
    ),
    "one_time_is_admin": (
        "4",
        "whether the widget's token says is_admin",
        {"absent": "no such claim", "present": "a bool"},
    ),
    "one_time_cache": (
        "4",
        "how long the host page uses one token",
        {"25_minutes": "one token for many calls", "none": "a new token for every call"},
    ),
    "one_time_skew": (
        "4",
        "clock of the signer against ours",
        {"none": "the same", "minus_60": "a minute behind", "plus_60": "a minute ahead"},
    ),
}
