"""Why is this deal not paid? One line, in the language of whoever asks."""

import re

import pytest

from backend.core.i18n import LANGUAGES, texts_in
from backend.core.money import Money
from backend.ledger.deal import DealLedger
from backend.ledger.parts import Decline
from backend.payments.deal.explain import FOLDER, REASONS, DealContext, explain
from backend.payments.deal.related import Elsewhere
from tests.ledger.build import NOW, deal, payment, request, session

ENGLISH = texts_in(FOLDER, "en").sentences
NOVEMBER_20 = 1_795_180_000.0
SUFFICIENT = ("paid", "refunded", "partially_refunded", "still_open", "ask_rest")
"""After these nothing is to be done, or they are half of a line."""


def why(*parts: object, language: str = "en", around: DealContext | None = None, **given: object) -> str:
    return explain(deal(*parts, **given), around or DealContext(), language)  # type: ignore[arg-type]


def declined(code: str, reason: str = "Your card was declined.") -> DealLedger:
    try_ = payment(0, paid_at=None, decline=Decline(NOW - 5, reason, code))
    return deal(request(opened=True, sessions=(session(),)), try_)


def test_a_link_that_was_not_opened_is_to_be_sent() -> None:
    assert why(request()) == "The client has not opened the link yet. Send it, or remind the client."


def test_the_line_is_said_in_the_language_of_the_page() -> None:
    assert why(request(), language="tr").startswith("Müşteri bağlantıyı henüz açmadı.")
    assert why(request(), language="pt-BR").startswith("O cliente ainda não abriu o link.")


@pytest.mark.parametrize("language", ["", "xx", "../en", "EN", "zh-Hans-CN"])
def test_a_language_that_we_do_not_speak_is_answered_in_english(language: str) -> None:
    assert why(request(), language=language) == why(request())


def test_amounts_and_dates_are_written_as_the_language_does() -> None:
    half = (request(123450, id="r2"), payment(50000, request_id=None))
    assert why(*half, language="es").startswith("Queda por pagar: 734,50 EUR.")
    waiting = request(sessions=(session("complete", completed_at=NOVEMBER_20),))
    assert "27 de noviembre de 2026" in why(waiting, language="es")
    assert "November 27, 2026" in why(waiting)


def test_a_day_is_that_of_the_account() -> None:
    evening = request(sessions=(session("complete", completed_at=NOVEMBER_20 + 12 * 3600),))
    assert "November 28, 2026" in why(evening, around=DealContext(timezone="Asia/Tokyo"))


def test_a_common_reason_of_a_decline_is_said_in_our_words() -> None:
    assert "declined: insufficient funds. The" in explain(declined("insufficient_funds"), DealContext(), "en")
    assert "отклонена: недостаточно средств. " in explain(declined("insufficient_funds"), DealContext(), "ru")


@pytest.mark.parametrize("code", ["stolen_card", "fraudulent", "pickup_card"])
def test_that_a_card_was_stolen_is_not_passed_on(code: str) -> None:
    said = explain(declined(code, "Your card was reported as stolen."), DealContext(), "en")
    assert "the bank gave no reason" in said
    assert "stolen" not in said


@pytest.mark.parametrize("code", ["", "a_code_of_tomorrow"])
def test_any_other_reason_is_given_in_stripes_words(code: str) -> None:
    assert "Your card is too blue. The client" in explain(declined(code, "Your card is too blue."), DealContext(), "en")


def test_every_reason_has_its_words() -> None:
    assert {f"reason_{name}" for name in REASONS} == {name for name in ENGLISH if name.startswith("reason_")}


def test_without_stripe_nothing_open_can_be_paid() -> None:
    around = DealContext(stripe=False)
    assert why(request(), around=around) == "Stripe is not connected. Ask an administrator to open the settings."
    assert why(request(), payment(), around=around) == ENGLISH["paid"]


@pytest.mark.parametrize("parts", [(request(),), (request(), payment())])
def test_while_kommo_is_disconnected_the_line_says_that_the_deal_waits(parts: tuple[object, ...]) -> None:
    assert why(*parts, around=DealContext(kommo=False)) == f"{why(*parts)} {ENGLISH['kommo_disconnected']}"


@pytest.mark.parametrize("ended", [{"cancelled": True}, {"replaced_by": "r2"}])
def test_of_a_part_that_was_paid_the_rest_is_to_be_asked_for_whatever_was_taken_back(ended: dict[str, object]) -> None:
    before = request(10000, created_at=NOW - 9000, **ended)
    deposit = request(3000, id="r2", kind="deposit", deal_total=10000, sessions=(session(),))
    said = why(before, deposit, payment(3000, request_id="r2"))
    assert said.endswith("is still open. Ask for the rest with a new payment.")


def test_what_ended_last_is_the_reason() -> None:
    assert why(request(cancelled=True)).startswith("The payment was cancelled. Create a new one")


@pytest.mark.parametrize("name", [name for name in ENGLISH if not name.startswith("reason_")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_beside_what_is_so_stands_what_to_do(name: str, language: str) -> None:
    parts = re.findall(r"[.:;](?: |$)", texts_in(FOLDER, language).sentences[name])
    assert len(parts) > 1 or name in SUFFICIENT


def test_what_a_person_moved_is_told_with_the_deal_it_belongs_to() -> None:
    assert "belongs to deal 77 now" in why(emptied=True, around=DealContext(elsewhere=Elsewhere(77)))
    assert "belongs to another deal now" in why(emptied=True, around=DealContext(elsewhere=Elsewhere(None)))


def test_what_the_same_client_paid_on_another_deal_is_told_beside_the_reason() -> None:
    around = DealContext(elsewhere=Elsewhere(77, (Money(10000, "EUR"), NOVEMBER_20)))
    said = why(request(), around=around)
    assert said.startswith(why(request()))
    assert "paid 100.00 EUR on deal 77 on November 20, 2026" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_say_all_sentences_with_the_same_placeholders(language: str) -> None:
    spoken = texts_in(FOLDER, language).sentences
    assert {name: _placeholders(text) for name, text in spoken.items()} == {
        name: _placeholders(text) for name, text in ENGLISH.items()
    }
    assert language == "en" or not {name for name in spoken if spoken[name] == ENGLISH[name]}


def _placeholders(sentence: str) -> set[str]:
    return {part.split("}")[0] for part in sentence.split("{")[1:]}
