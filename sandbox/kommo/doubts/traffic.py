"""Every call of API v4: limits, refusals, the account."""

from sandbox.kommo.doubts.shape import Doubts

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
    "url_limit": (
        "5",
        "longest URL",
        {"none": "no limit", "8_kb": "the gateway's 414 beyond 8192 bytes"},
    ),
    "wrong_subdomain": (
        "15",
        "a token used at another account's host",
        {
            "401": "unauthorized",
            "404": "not found",
            "301": "moved for good, where the account has a new address",
        },
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
    "null_group": (
        "11.1",
        "which group a user is in whose group_id is null",
        {"zero": "the default group, whose id is 0", "none": "no group"},
    ),
    "invoice_list": (
        "11",
        "a list of invoices",
        {"absent": "no lists at all", "present": "one, with fields BILL_STATUS, BILL_PRICE and so on"},
    ),
    "list_lag": (
        "5",
        "when a list shows what was just made",
        {"none": "at once", "20_seconds": "after 20 seconds; by its own address it is there at once"},
    ),
    "not_modified": (
        "5",
        "If-Modified-Since on a list",
        {"ignored": "not looked at", "304": "304 when nothing changed since"},
    ),
}
