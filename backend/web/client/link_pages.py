"""The payer's pages under ``/p``: one template, six languages, no script, nothing from another host."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from backend.core.i18n import end_of_minute, isolated, moment_of, texts_in, written_day
from backend.core.money import Money, shown
from backend.ledger.deal import DealLedger, Request
from backend.payments.afterwards import Afterwards
from backend.payments.find import Link
from backend.payments.merchant import Merchant
from backend.web.client.paid import PAID, Paid, paid_of
from backend.web.client.reader import Reader

TEMPLATES = Path(__file__).parent / "templates"
CSS = (TEMPLATES / "pay.css").read_text(encoding="utf-8").strip()
_CSS_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
ASK_AGAIN = {"moment": 15, "later": 3600, "trouble": 300, "busy": 60, "receipt": 60}
"""Seconds after which another try makes sense, for pages that report a problem."""
UNPAID = ("preview", "back", "failed", "opening", "moment", "waiting")
"""Pages about a request that may still be paid."""
STATUS = {"moment": 503, "later": 503, "trouble": 503, "receipt": 503, "unknown": 404, "busy": 429}

ENVIRONMENT = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
ENVIRONMENT.filters["isolated"] = isolated


@dataclass(frozen=True)
class Shown:
    """What a page about one payment shows below its sentence.

    ``details``: texts by name; ``button``: its address and text; ``picture``: the address of the preview's picture, ""
    for none.
    """

    merchant: Merchant
    details: Mapping[str, str]
    button: Mapping[str, str] | None
    paid: Paid | None = None
    picture: str = ""


def plain_page(name: str, language: str) -> HTMLResponse:
    """Return a page about no particular payment: ``unknown``, ``busy``, or ``moment`` while our database is down."""
    return _page(name, language, texts_of(language), {})


def link_page(
    name: str,
    link: Link,
    reader: Reader,
    *,
    query: str = "",
    refresh: str | None = None,
    after: Afterwards | None = None,
    public_url: str = "",
) -> HTMLResponse:
    """Return a page about one payment, with merchant, amount and description.

    ``name``: the page's name in the texts. ``query``: appended to its links, see ``language.kept``. ``refresh``: the
    Refresh header by which the page reloads itself. ``after``: where a payer goes after paying. ``public_url``: where a
    chat fetches the preview's picture.
    """
    language, texts = reader.language, texts_of(reader.language)
    named = _named(link, reader)
    details = {
        "amount": named["amount"],
        "description": link.request.description,
        "renewal": renewal(link.ledger, link.asked, texts, language) if link.asked and name != "expired" else "",
    }
    said = "paid_test" if name == "paid" and link.merchant.is_test else name
    details |= days_of(link.asked, language) if link.asked and name in UNPAID else {}
    paid = paid_of(link, after or Afterwards(), texts, reader, query) if name in PAID else None
    picture = f"{public_url}/p/{link.request.link_token}/picture.png?lang={reader.spoken(link.account.timezone)}"
    button = _button(name, link, texts, query)
    page = _page(said, language, texts, named, Shown(link.merchant, details, button, paid, picture))
    if refresh is not None:
        page.headers["Refresh"] = refresh
    return page


def days_of(request: Request, language: str) -> dict[str, str]:
    """Return the days by which to pay as written dates: ``due`` and ``until``, each only if it is set."""
    days = {"due": request.due_on, "until": request.last_day}
    return {name: written_day(day, language) for name, day in days.items() if day is not None}


def _page(
    name: str, language: str, texts: Mapping[str, str], named: Mapping[str, str], about: Shown | None = None
) -> HTMLResponse:
    body = ENVIRONMENT.get_template("pay.html").render(
        language=language,
        css=Markup(CSS),  # noqa: S704 (our own file)
        title=texts[f"{name}_title"].format_map(named),
        text=texts[f"{name}_text"].format_map(named),
        texts=texts,
        merchant=about.merchant if about else None,
        details=about.details if about else None,
        button=about.button if about else None,
        paid=about.paid if about else None,
        picture=about.picture if about else "",
    )
    later = {"Retry-After": str(ASK_AGAIN[name])} if name in ASK_AGAIN else {}
    return HTMLResponse(body, STATUS.get(name, 200), headers=HEADERS | later | {"Content-Language": language})


def _button(name: str, link: Link, texts: Mapping[str, str], query: str) -> dict[str, str] | None:
    if name == "replaced" and link.newer_token:
        return {"href": f"/p/{link.newer_token}{query}", "text": texts["replaced_button"]}
    here = f"/p/{link.request.link_token}{query}"
    if name in ("moment", "opening", "receipt"):
        return {"href": here, "text": texts["moment_button"]}
    return {"href": here, "text": texts["pay_button"]} if name in ("back", "failed", "preview") else None


def _named(link: Link, reader: Reader) -> dict[str, str]:
    return {
        "merchant": isolated(link.merchant.name),
        "amount": shown(Money(link.request.amount, link.request.currency), reader.locale(link.account.timezone)),
        "when": moment_of(end_of_minute(link.free_at), link.account.timezone, reader.language),
    }


def renewal(ledger: DealLedger, request: Request, texts: Mapping[str, str], language: str) -> str:
    """Return the sentence that a subscription renews, and how often; "" if nothing renews."""
    if request.rhythm is None or not ledger.renews(request):
        return ""
    unit, count = request.rhythm
    form = Locale.parse(language).plural_form(count)
    plural = texts.get(f"every_{unit}_{form}", texts[f"every_{unit}_other"])
    rhythm = texts[f"every_{unit}"] if count == 1 else plural.format(count=count)
    return texts["renews"].format(rhythm=rhythm)


def texts_of(language: str) -> dict[str, str]:
    """Return text's name → sentence of the payer's pages; ``language`` is one of our six."""
    return texts_in(Path(__file__).parent / "texts", language).sentences
