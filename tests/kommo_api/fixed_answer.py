"""A Kommo that says one thing, whatever it is asked: for answers that the sandbox has no reason to give."""

from collections.abc import Callable

import httpx

from backend.kommo_api.client import KommoApi
from tests.kommo_api.conftest import at_once

Answer = Callable[[httpx.Request], httpx.Response]

PAGE = "<html>\r\n<head><title>Oops</title></head><body><center><h1>nginx</h1></center></body></html>"


def saying(status: int, body: object = None, **headers: str) -> Answer:
    """JSON for a dict or list, HTML for text."""

    def answer(_: httpx.Request) -> httpx.Response:
        if body is None:
            return httpx.Response(status, headers=headers)
        if isinstance(body, str):
            return httpx.Response(status, html=body, headers=headers)
        return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"} | headers)

    return answer


def api(answer: Answer) -> KommoApi:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return KommoApi(http, "https://acme.kommo.com", "made-up-token", at_once)


def problem(status: int, detail: str = "", **more: object) -> dict[str, object]:
    return {"title": "Oops", "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail, **more}
