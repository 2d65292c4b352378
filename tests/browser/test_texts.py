"""Texts from outside are only ever text, and ours are there in every language of Kommo."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Card
from tests.browser.scripted import Answer, a_payment, a_request, refusal

pytestmark = pytest.mark.browser

RUN = "window.pwned=1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<a href=javascript:{RUN}>x</a>",
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"<style>@import 'javascript:{RUN}'</style>",
    f"<math><mtext></style><img src=x onerror={RUN}></mtext></math>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<template><img src=x onerror={RUN}></template>",
    f"<x contenteditable onblur={RUN}>",
    f"<object data='javascript:{RUN}'></object>",
]
WRAPPERS = ["{}", '"{}', "'{}", '">{}', "'>{}", "</p>{}", "-->{}", "]]>{}", "\\x3c{}", "</textarea></title>{}"]
HOSTILE = [wrapper.replace("{}", payload) for wrapper in WRAPPERS for payload in PAYLOADS]


def test_two_hundred_hostile_strings_in_every_field_run_nothing(card: Card) -> None:
    assert len(set(HOSTILE)) == 200
    every = {"description", "created_by", "state", "currency", "url", "kind", "created_at"}
    requests = [a_request(place) | dict.fromkeys(every, text) for place, text in enumerate(HOSTILE)]
    open_ = [one | {"state": "pending", "id": f"open-{one['id']}"} for one in requests]
    payments = [
        a_payment() | dict.fromkeys(("id", "disputed", "state", "paid_at", "currency", "stripe_url"), one)
        for one in HOSTILE
    ]
    facts = {"requests": [*requests, *open_], "payments": payments, "explanation": HOSTILE[1], "state": HOSTILE[2]}
    card.stage.backend.deal |= facts
    card.open()
    expect(card.widget.get_by_role("listitem").first).to_be_visible()
    card.widget.get_by_text("Earlier links").click()
    assert card.widget.locator("script, img, iframe, object, video, [onerror], [onload]").count() == 0
    assert card.widget.locator("a[href^='javascript'], a[href^='data']").count() == 0
    assert card.page.evaluate("window.pwned") is None


def test_a_hostile_deal_name_and_error_are_shown_as_text(card: Card) -> None:
    lead = card.stage.world.account.leads[card.stage.leads[0]]
    lead.name = HOSTILE[1]
    card.stage.backend.script["create"] = [Answer(422, refusal("field_invalid", HOSTILE[1], "description"))]
    card.open().begin()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget).to_contain_text(HOSTILE[1])
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget.locator(".dealpay-created")).to_contain_text(HOSTILE[1])
    assert card.page.evaluate("window.pwned") is None


def test_a_link_that_is_no_web_address_is_not_opened(card: Card) -> None:
    card.stage.backend.deal |= {"requests": [a_request(url="javascript:alert(1)")]}
    card.open()
    expect(card.widget.get_by_role("listitem")).to_be_visible()
    assert card.widget.locator("a[href]").count() == 0


@pytest.mark.parametrize("language", ["en", "es", "pt", "tr", "id"])
def test_every_text_is_there_in_every_language(card: Card, language: str) -> None:
    card.stage.backend.deal |= {"requests": [a_request()], "may": {"create": True, "refund": True}}
    card.stage.backend.deal |= {"payments": [a_payment(), a_payment(2, disputed="open")]}
    card.open(lang=language, width="200")
    card.widget.locator("[data-key=begin]").click()
    form = card.widget.inner_text()
    card.widget.locator("[data-key=submit]").click()
    expect(card.widget.locator(".dealpay-created")).to_be_visible()
    assert not re.search(r"\b(card|form|list|state|created|phase|kind|interval|refund)\.[a-z_]+", form)
    assert "{" not in form + card.widget.inner_text()


def test_the_backend_hears_the_language_of_the_page(card: Card) -> None:
    card.open(lang="tr")
    expect(card.widget.locator("[data-key=begin]")).to_be_visible()
    assert [call.language for call in card.stage.backend.calls] == ["tr"]


def test_a_refusal_is_said_in_the_language_of_the_page_where_we_have_it(card: Card) -> None:
    card.stage.backend.always["create"] = Answer(502, refusal("stripe_unreachable", "Stripe can't be reached."))
    card.open(lang="es")
    card.widget.locator("[data-key=begin]").click()
    card.submit.click()
    expect(card.widget.get_by_role("alert")).to_contain_text("Ahora no se puede contactar con Stripe.")


def test_amounts_and_dates_follow_the_language(card: Card) -> None:
    card.stage.backend.deal |= {"requests": [a_request(amount="1234.50")]}
    card.open(lang="pt")
    expect(card.widget.locator(".dealpay-amount")).to_have_text(re.compile(r"€\s1\.234,50"))
