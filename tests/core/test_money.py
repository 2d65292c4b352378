"""Amounts from a form to Stripe's integers and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import AmountInvalid, AmountTooLarge, AmountTooSmall, CurrencyUnknown
from backend.core.i18n import LANGUAGES
from backend.core.money import (
    CURRENCIES,
    MAXIMUM,
    MINIMUM,
    THREE_DECIMAL,
    WHOLE_UNITS_ONLY,
    Money,
    as_decimal,
    display,
    exponent,
    known_currency,
    major,
    shown,
    to_minor,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("120.00", "EUR", 12000),
        ("120", "EUR", 12000),
        ("0.5", "USD", 50),
        ("500", "JPY", 500),
        ("1.500", "KWD", 1500),
        ("1.5", "KWD", 1500),
        ("5000", "ISK", 500000),
        ("5", "UGX", 500),
        ("700", "MGA", 700),
    ],
)
def test_text_becomes_stripes_minor_units(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "EUR"), ("-5", "EUR"), ("+5", "EUR"), ("1e3", "EUR"), (" 5", "EUR"), ("5 ", "EUR"), ("5,00", "EUR"),
        ("1.234", "EUR"), ("1.000", "EUR"), ("500.0", "JPY"), ("1.505", "KWD"), ("50.50", "ISK"), ("٥", "EUR"),
        ("NaN", "EUR"), ("0x10", "EUR"), ("1_000", "EUR"), ("9" * 16, "EUR"),
    ],
)  # fmt: skip
def test_what_is_no_plain_amount_of_the_currency_is_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountInvalid):
        to_minor(text, currency)


def test_less_than_stripes_minimum_is_refused_with_the_minimum_named() -> None:
    with pytest.raises(AmountTooSmall, match=r"0\.50 EUR"):
        to_minor("0.49", "EUR")


def test_zero_is_too_small_where_stripe_names_no_minimum() -> None:
    with pytest.raises(AmountTooSmall):
        to_minor("0", "ALL")


def test_more_than_twelve_digits_is_refused() -> None:
    with pytest.raises(AmountTooLarge):
        to_minor("10000000000.00", "USD")


def test_an_unknown_currency_is_named_in_the_refusal() -> None:
    with pytest.raises(CurrencyUnknown, match="XXX"):
        known_currency("XXX")


def test_a_currency_may_be_written_in_lower_case() -> None:
    assert known_currency("eur") == "EUR"


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(min_value=1, max_value=MAXIMUM))
def test_every_chargeable_amount_survives_the_way_to_text_and_back(currency: str, minor: int) -> None:
    step = 100 if currency in WHOLE_UNITS_ONLY else 10 if currency in THREE_DECIMAL else 1
    amount = max(minor, MINIMUM.get(currency, 1)) // step * step or step
    if amount >= MINIMUM.get(currency, 1):
        assert to_minor(major(amount, currency), currency) == amount


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(min_value=0, max_value=MAXIMUM))
def test_major_text_is_exact(currency: str, minor: int) -> None:
    assert Decimal(major(minor, currency)) == as_decimal(minor, currency) == Decimal(minor) / 10 ** exponent(currency)


def test_display_uses_our_decimals_and_the_locales_manner() -> None:
    assert display(123450, "EUR", "de") == "1.234,50\xa0EUR".replace("\xa0", " ")
    assert display(500000, "ISK", "en") == "5,000 ISK"


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (120000, "USD", "es_MX", "$1,200.00\xa0USD"),
        (120000, "MXN", "es_MX", "$1,200.00\xa0MXN"),
        (120000, "USD", "es", "1.200,00\xa0$\xa0USD"),
        (120000, "EUR", "en", "€1,200.00\xa0EUR"),
        (120000, "BRL", "pt_BR", "R$\xa01.200,00\xa0BRL"),
        (120000, "TRY", "tr", "₺1.200,00\xa0TRY"),
        (120000, "RUB", "ru", "1\xa0200,00\xa0₽\xa0RUB"),
        (120000, "IDR", "id", "Rp1.200,00\xa0IDR"),
        (120000, "CHF", "en", "1,200.00\xa0CHF"),
        (5000, "JPY", "en", "¥5,000\xa0JPY"),
        (1234500, "KWD", "en", "1,234.500\xa0KWD"),
        (500000, "ISK", "en", "kr5,000\xa0ISK"),
        (12345600000, "INR", "en_IN", "₹12,34,56,000.00\xa0INR"),
    ],
)
def test_a_payer_reads_symbol_and_code_as_the_locale_writes_them(
    amount: int, currency: str, locale: str, written: str
) -> None:
    assert shown(Money(amount, currency), locale) == written


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_every_currency_can_be_shown_with_its_code_in_every_language(language: str, currency: str) -> None:
    written = shown(Money(123400, currency), language)
    assert written.endswith(f"\xa0{currency}")
    assert "¤" not in written
