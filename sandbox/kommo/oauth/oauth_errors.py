"""What the token endpoint says when it refuses (docs/facts/kommo-api.md 2)."""

from sandbox.kommo.problems import Problem, page
from sandbox.kommo.records import Json
from sandbox.kommo.switches import Switches

_TEXTS = {
    "english": {
        "request": ("Bad request", "The request has missing or invalid parameters"),
        "client": ("Invalid client", "Client authorization failed"),
    },
    "localized": {
        "request": ("Некорректный запрос", "В запросе отсутствует ряд параметров или параметры невалидны"),
        "client": ("Неверный клиент", "Ошибка авторизации клиента"),
    },
}


def bad_client(switches: Switches, parameter: str) -> Problem:
    """Wrong client_id or client_secret."""
    if switches.reads("client_error", "400_hint"):
        return Problem(400, {"hint": f"Check the `{parameter}` parameter", **_body(switches, "client", 400)})
    return Problem(401, _body(switches, "client", 401))


def bad_account(switches: Switches) -> Problem:
    """At another account's host."""
    if switches.reads("account_error", "301"):
        return page(301)
    status = int(switches["account_error"].partition("_")[0])
    named = {"hint": "Invalid account"} if switches.reads("account_error", "400_hint") else {}
    return Problem(status, named | _body(switches, "request", status))


def bad_code(switches: Switches, hint: str) -> Problem:
    status = int(switches["code_error_status"])
    named = {"hint": hint} if switches.reads("code_error_hint", "named") else {}
    return Problem(status, named | _body(switches, "request", status))


def bad_refresh(switches: Switches, hint: str) -> Problem:
    return Problem(401, {"hint": hint, **_body(switches, "request", 401)})


def bad_request(switches: Switches) -> Problem:
    hint = "Check that all required parameters have been provided"
    return Problem(400, {"hint": hint, **_body(switches, "request", 400)})


def _body(switches: Switches, kind: str, status: int) -> Json:
    title, detail = _TEXTS[switches["oauth_error_language"]][kind]
    host = {"kommo": "developers.kommo.com", "amocrm": "developers.amocrm.ru"}[switches["oauth_error_type"]]
    return {"title": title, "type": f"https://{host}/v3/errors/OAuthProblemJson", "status": status, "detail": detail}
