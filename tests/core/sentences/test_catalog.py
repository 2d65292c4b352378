"""Each sentence that a page can show has six languages; one written into the code alone fails here."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from backend.core.i18n import LANGUAGES
from backend.core.money import Money
from backend.core.sentences.said import TEXTS, in_language, said, together
from backend.kommo_api.errors import KommoError, KommoUnavailable, KommoUnpaid
from tests.docs.text import ROOT

PROGRAMS_ONLY = {
    "accounts/install/activate.py": "AwaitsYes is caught; the page shows a text of its own",
    "accounts/install/uninstall.py": "Kommo's hook reads the JSON",
    "accounts/kommo_hooks.py": "Kommo's hook reads the JSON",
    "accounts/permissions.py": "the widget translates by code",
    "accounts/words.py": "the widget translates by code",
    "admin/checkup.py": "the command `doctor`",
    "automation/bot_steps/receive.py": "Kommo's bots read the JSON",
    "automation/lists/preview.py": "the widget translates by code",
    "automation/lists/runs.py": "the widget translates by code",
    "automation/reminders/card.py": "the widget translates by code",
    "automation/rules/choices.py": "the widget translates by code",
    "automation/rules/keys.py": "the widget translates by code",
    "automation/rules/receive.py": "Kommo's hook reads the JSON",
    "automation/sendings/by_person.py": "the widget translates by code",
    "automation/sendings/plan.py": "the widget translates by code",
    "cli": "the command line is English",
    "core/metrics.py": "metrics are English",
    "core/money.py": "the widget translates by code",
    "kommo_api/auth/widget_token.py": "the widget translates by code",
    "kommo_api/automation/bot_token.py": "Kommo's bots read the JSON",
    "payments": "the widget translates by code, and the client's pages have texts of their own",
    "server/working.py": "the command line is English",
    "storage/migrations": "the command line is English",
    "stripe_api/answers.py": "the reason inside another sentence, as Stripe's own",
    "web/admin_api.py": "the admin API is English",
    "web/automation": "the widget translates by code",
    "web/client": "the client's pages have texts of their own",
    "web/edge.py": "the refusal of an ambiguous length comes before any route",
    "web/health.py": "OpenAPI is English",
    "web/http/deps.py": "the admin API is English",
    "web/http/json_body.py": "the admin API is English",
    "web/http/pages.py": "OpenAPI is English",
    "web/http/user_calls.py": "the widget translates by code",
    "web/kommo_hooks.py": "Kommo's hook reads the JSON",
    "web/openapi.py": "OpenAPI is English",
    "web/stripe_webhook.py": "Stripe reads the JSON",
    "web/widget.py": "the widget translates by code",
}
"""Files and folders below ``backend`` whose sentences reach no page of the app, and who reads them instead."""
SENTENCE = re.compile(r"[A-Z]\S* .*\w", re.DOTALL)


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TEXTS / f"{language}.json").read_text("utf-8"))
    return found


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "backend").rglob("*.py")):
        yield path.relative_to(ROOT / "backend").as_posix(), ast.parse(path.read_text("utf-8"))


def written_sentences(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings of the code that look like sentences; docstrings are none."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            text = node.value.strip()
            if SENTENCE.match(text) and text[-1] in ".:":
                yield node


def is_for_programs(file: str) -> bool:
    return any(file == one or file.startswith(f"{one}/") for one in PROGRAMS_ONLY)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_sentence_with_values_that_english_has(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert list(other) == list(english)
    for key, text in other.items():
        assert text.strip(), key
        assert set(re.findall(r"\{\w+\}", text)) <= set(re.findall(r"\{\w+\}", english[key])), key


def test_only_sentences_without_words_are_the_same_in_two_languages() -> None:
    same = {key for key, text in texts("en").items() for other in LANGUAGES[1:] if texts(other)[key] == text}
    assert same == {"two_sentences", "kommo_error_detail", "mode_live", "mode_test"}


def test_a_sentence_that_can_reach_a_page_stands_in_the_catalog_and_not_in_the_code() -> None:
    alone = [
        f"backend/{file}:{node.lineno}: {node.value!r}"
        for file, tree in trees()
        if not is_for_programs(file)
        for node in written_sentences(tree)
    ]
    assert alone == [], "Write said(key) and give the sentence six languages in backend/core/sentences/texts."


def test_the_list_of_other_readers_names_only_what_is_there() -> None:
    with_sentences = {file for file, tree in trees() if any(written_sentences(tree))}
    idle = [one for one in PROGRAMS_ONLY if not any(f"{file}/".startswith(f"{one}/") for file in with_sentences)]
    assert idle == []


def test_every_key_that_the_code_says_is_in_the_catalog() -> None:
    named = {
        node.args[0].value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said" and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert len(named) > 150
    assert named - texts("en").keys() == set()


def kinds(kind: type[KommoError]) -> Iterator[type[KommoError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from kinds(one)


def test_every_error_of_kommo_has_a_sentence_of_its_own() -> None:
    keys = [kind.says for kind in kinds(KommoError)]
    assert len(keys) == len(set(keys))
    assert set(keys) <= texts("en").keys()


def test_counts_sums_and_times_are_written_as_each_language_does() -> None:
    left = said("stripe_pages_left", count=1234, until=datetime(2026, 1, 5, 10, tzinfo=UTC))
    assert "1234. Until 2026-01-05 10:00 UTC" in left
    assert "1.234. Hasta el 5 ene 2026, 10:00 UTC" in in_language(left, "es")
    assert in_language(said("no_account_at", address=Money(120000, "EUR")), "pt").endswith("€\xa01.200,00\xa0EUR.")


def test_sentences_in_a_row_and_sentences_inside_of_one_speak_one_language() -> None:
    row = together(said("form_content_type", type="text/plain"), "", said("open_and_repeat"))
    assert row == "This form must be sent as text/plain. Open the page again and repeat."
    assert (
        in_language(row, "es") == "Este formulario se debe enviar como text/plain. Abre la página otra vez y repítelo."
    )
    inner = said("stripe_not_in_mode", mode=said("mode_test"))
    assert in_language(inner, "ru").startswith("Stripe не подключён в тестовом режиме.")


def test_a_sentence_that_was_stored_in_english_is_shown_in_each_language() -> None:
    stored = str(said("writing_waits", reason=together(str(KommoUnpaid()), said("resumes_once_paid"))))
    assert stored == (
        "Nothing is written to Kommo at present: The Kommo account is not paid for, so Kommo refuses all writes. "
        "Writing resumes by itself once the account is paid for."
    )
    assert "La cuenta de Kommo no está pagada" in in_language(stored, "es")
    assert "se reanuda sola" in in_language(stored, "es")
    failed = str(said("set_up_failed", reason=str(KommoUnavailable("HTTP 500"))))
    assert in_language(failed, "tr") == (
        "Kommo'daki kurulum başarısız oldu: Kommo'da şu anda teknik bir sorun var. (HTTP 500)"
    )


@pytest.mark.parametrize("foreign", ["", "No such price: 'price_1'; a Stripe answer", "x" * 5000, "a. b. c", "{count}"])
def test_what_is_not_ours_stays_as_it_is(foreign: str) -> None:
    assert in_language(foreign, "es") == foreign[:2000]
    assert in_language(foreign, "en") == foreign
