"""What facts/kommo-api.md leaves open, as tables: name → (section, what is in doubt, {reading: what then happens}).

The reading named first is the one we believe.
"""

Doubts = dict[str, tuple[str, str, dict[str, str]]]

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

API: Doubts = {
    "rate_scope": (
        "5",
        "what the 7 requests a second are counted by",
        {
            "integration": "by integration and account",
            "account": "by account, all integrations together",
            "ip": "by the caller's address, all accounts together",
        },
    ),
    "rate_answer": (
        "5",
        "body of a 429",
        {"html": "the gateway's page, no Retry-After", "json": "problem+json with retry_after"},
    ),
    "account_rate": (
        "5",
        "a second limit over all integrations of an account",
        {"50": "50 a second", "none": "none"},
    ),
    "block": (
        "5",
        "whether an address that goes on after 429 is blocked",
        {"after_429s": "403 HTML on everything until lifted", "never": "only 429"},
    ),
    "over_250": (
        "5",
        "a write of more than 250 entities",
        {"422": "unprocessable, Limit 250 per page", "400": "bad request"},
    ),
    "body_limit": (
        "5",
        "largest body",
        {"none": "no limit", "1_mb": "413 beyond one megabyte"},
    ),
    "wrong_subdomain": (
        "15",
        "a token used at another account's host",
        {"401": "unauthorized", "404": "not found"},
    ),
    "no_right": (
        "6",
        "answer to a user without the right",
        {"403": "forbidden", "400_244": "bad request with code 244 in detail"},
    ),
    "unpaid": (
        "6",
        "what an unpaid account still may",
        {"reads": "read, not write", "nothing": "neither"},
    ),
    "bad_request": (
        "6",
        "how a refused write names what is wrong",
        {
            "validation_errors": "validation-errors with request_id and path",
            "keyed_by_lead": "errors keyed by lead id, without a path",
            "silent": "nothing is named",
        },
    ),
    "batch": (
        "6",
        "a batch with one bad item",
        {"whole": "refused as a whole, nothing saved", "partial": "the good items are saved and answered with 200"},
    ),
    "account_language": (
        "11",
        "a language in /account",
        {"absent": "no such field", "present": "language"},
    ),
    "not_modified": (
        "5",
        "If-Modified-Since on a list",
        {"ignored": "not looked at", "304": "304 when nothing changed since"},
    ),
}

LEADS: Doubts = {
    "missing_lead": (
        "7.1",
        "GET of an unknown or deleted lead",
        {"204": "no content", "404": "not found"},
    ),
    "patch_missing": (
        "6",
        "PATCH of an unknown or deleted lead",
        {"path_id": "400 NotSupportedChoice at path id", "226": "400 with code 226 in detail"},
    ),
    "field_filter": (
        "7.1",
        "filter by a custom field on this plan",
        {"works": "it filters", "ignored": "everything comes back"},
    ),
    "price_decimals": (
        "7.2",
        "a decimal in price",
        {"refused": "400 InvalidType", "rounded": "cut to whole units", "kept": "kept in price_with_minor_units"},
    ),
    "price_with_minor_units": (
        "7.2",
        "price_with_minor_units in reads and hooks",
        {"absent": "no such field", "present": "a decimal in whole units"},
    ),
    "into_incoming": (
        "10",
        "moving a deal into Incoming leads by PATCH",
        {"refused": "400 for the whole request", "allowed": "moved"},
    ),
    "archived_pipelines": (
        "10",
        "archived pipelines in the list",
        {"listed": "with is_archive", "hidden": "left out"},
    ),
    "tags_null": (
        "7.2",
        "tags: null in a PATCH",
        {"ignored": "nothing happens", "detaches": "all tags go"},
    ),
    "lead_cap": (
        "5",
        "POST of leads when the plan's number is reached",
        {"402": "payment required", "422": "unprocessable", "accepted": "accepted for another day"},
    ),
    "merge_events": (
        "14",
        "what /events shows of a merge",
        {"entity_merged": "entity_merged at the one that stays", "deleted": "lead_deleted of the one that goes"},
    ),
    "copy_keeps_api_only": (
        "14",
        "fields written by API only in a copied lead",
        {"keeps": "copied too", "drops": "left empty"},
    ),
    "api_author": (
        "7.1",
        "updated_by after a write by API",
        {"user": "the user of the token", "robot": "0"},
    ),
}

FIELDS: Doubts = {
    "monetary": (
        "8",
        "fields of type monetary on this plan",
        {"refused": "400 at path type", "offered": "made"},
    ),
    "api_only_fields": (
        "8",
        "is_api_only in a new field",
        {"accepted": "made", "refused": "400 at path is_api_only"},
    ),
    "field_created_status": (
        "8",
        "status of a made field or group",
        {"201": "created", "200": "ok"},
    ),
    "field_code_case": (
        "8",
        "case of a field's code",
        {"as_sent": "kept", "upper": "made upper case"},
    ),
    "omitted_options": (
        "8",
        "options left out of a PATCH of enums",
        {"deleted": "they go; deals that hold one are orphans", "kept": "they stay"},
    ),
    "group_id": (
        "8",
        "id of a new group",
        {"leads_number": "leads_ and digits", "uuid": "a uuid"},
    ),
    "text_limit": (
        "7.3",
        "a text over 255, an address over 2000 characters",
        {"cut": "cut", "refused": "400", "none": "kept"},
    ),
    "monetary_decimals": (
        "7.3",
        "decimals in a monetary field",
        {"kept": "kept", "rounded": "cut to whole units"},
    ),
    "plain_date": (
        "7.3",
        "YYYY-MM-DD in a date field",
        {"refused": "400 InvalidType", "accepted": "taken as that day"},
    ),
}

NOTES: Doubts = {
    "note_triggers": (
        "9",
        "a note that does not say is_need_to_trigger_digital_pipeline",
        {"true": "starts bots", "false": "starts none"},
    ),
    "extended_service_message": (
        "9",
        "note type extended_service_message",
        {"accepted": "accepted", "refused": "400 NotSupportedChoice"},
    ),
    "amocrm_note_types": (
        "9",
        "invoice_paid, bill_paid, message_cashier",
        {"refused": "400 NotSupportedChoice", "accepted": "accepted"},
    ),
    "note_limit": (
        "9",
        "length of a note's text",
        {"none": "no limit", "4096": "400 beyond 4096 characters"},
    ),
}

HOOKS: Doubts = {
    "webhook_settings": (
        "12.1",
        "settings in the answer of POST /webhooks",
        {"list": "a list", "object": 'an object {"add_lead": 1}'},
    ),
    "webhooks_over_100": (
        "15",
        "the 101st webhook",
        {"422": "unprocessable", "400": "bad request"},
    ),
    "salesbot_alg": (
        "12.2",
        "algorithm of the Salesbot token",
        {"HS512": "HS512", "HS256": "HS256"},
    ),
    "continue_status": (
        "15",
        "status of a continued bot",
        {"202": "accepted", "200": "ok"},
    ),
    "continue_twice": (
        "15",
        "a bot continued twice",
        {"404": "not found", "400": "bad request"},
    ),
    "hook_order": (
        "12.1",
        "order and number of account webhooks",
        {"in_order": "once each, in order", "reversed_twice": "twice each, last first"},
    ),
}
