"""Money is an integer of Stripe's minor units and an upper-case currency. Text is for people and forms.

Exponents and limits are Stripe's own (docs.stripe.com/currencies), not those of ISO or a locale library. ISK and UGX
have two decimals at Stripe though people use none, MGA has none though ISO says two (docs/facts/stripe.md E).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency, format_decimal

from backend.core.errors import AmountInvalid, AmountTooLarge, AmountTooSmall, CurrencyUnknown

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
WHOLE_UNITS_ONLY = frozenset(("ISK", "UGX"))
"""Sent in hundredths, always a multiple of 100."""

CURRENCIES = frozenset(
    (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF "
        "CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG "
        "HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
        "MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB "
        "RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND "
        "VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW"
    ).split()
)

MINIMUM = {
    "USD": 50, "EUR": 50, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "INR": 50, "NZD": 50, "SGD": 50, "GBP": 30,
    "AED": 200, "PLN": 200, "RON": 200, "MYR": 200, "CZK": 1500, "DKK": 250, "SEK": 300, "NOK": 300, "HKD": 400,
    "MXN": 1000, "THB": 1000, "JPY": 50, "KRW": 50, "HUF": 17500, "ARS": 50, "COP": 50, "IDR": 50, "ILS": 50,
    "PHP": 50, "RUB": 50, "ZAR": 50,
}  # fmt: skip
"""Stripe's minimum charge by currency, in minor units; for other currencies Stripe itself answers."""

MAXIMUM = 999_999_999_999
"""Twelve digits of minor units, the most that a card takes."""

_PLAIN = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units, and an upper-case ISO code."""

    amount: int
    currency: str

    def __str__(self) -> str:
        return " ".join(self.as_text)

    @property
    def as_text(self) -> tuple[str, str]:
        """The amount in major units as plain text, and the currency: ``("120.00", "EUR")``."""
        return major(self.amount, self.currency), self.currency


def listed(sums: Iterable[Money]) -> str:
    """Return the sums as plain text: ``"120.00 EUR + 5.00 USD"``."""
    return " + ".join(map(str, sums))


def known_currency(text: str) -> str:
    """Return the upper-case code of a currency that Stripe takes. Raises ``CurrencyUnknown``."""
    code = text.upper() if text.isascii() else text
    if code not in CURRENCIES:
        raise CurrencyUnknown(f"Stripe does not take the currency {text[:10]!r}. Use a code such as EUR or USD.")
    return code


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency in Stripe's API."""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def to_minor(text: str, currency: str) -> int:
    """Return the minor units of a text in major units such as ``"120.00"``.

    Raises ``AmountInvalid``, or ``AmountTooSmall`` or ``AmountTooLarge`` beyond Stripe's limits.
    """
    if not _PLAIN.fullmatch(text):
        raise AmountInvalid("Write the amount as a plain number with a point, for example 120.00.")
    places = exponent(currency)
    amount = Decimal(text).scaleb(places)
    if len(text.partition(".")[2]) > places:
        raise AmountInvalid(
            f"{currency} has {places} decimals at the most." if places else f"{currency} has no decimals."
        )
    if amount % 100 and currency in WHOLE_UNITS_ONLY:
        raise AmountInvalid(f"{currency} has no decimals.")
    if currency in THREE_DECIMAL and amount % 10:
        raise AmountInvalid(f"Stripe takes {currency} in steps of 0.010: the last digit must be 0.")
    return _within_limits(int(amount), currency)


def _within_limits(amount: int, currency: str) -> int:
    least, most = Money(max(1, MINIMUM.get(currency, 1)), currency), Money(MAXIMUM, currency)
    if amount < least.amount:
        raise AmountTooSmall(f"The least that Stripe charges is {least}.", limit=least.as_text)
    if amount > most.amount:
        raise AmountTooLarge(f"The most that Stripe charges is {most}.", limit=most.as_text)
    return amount


def as_decimal(amount: int, currency: str) -> Decimal:
    """Return minor units as a decimal in major units."""
    return Decimal(amount).scaleb(-exponent(currency))


def major(amount: int, currency: str) -> str:
    """Return minor units as plain text in major units, with the currency's own decimals: ``"120.00"``, ``"5000"``."""
    value = as_decimal(amount, currency)
    if currency in WHOLE_UNITS_ONLY and amount % 100 == 0:
        return f"{value:.0f}"
    return f"{value:.{exponent(currency)}f}"


def displayed(sums: Iterable[Money], locale: str) -> str:
    """Return the sums as text in the manner of ``locale``, with codes: ``"120,00 EUR + 5,00 USD"``."""
    return " + ".join(display(one.amount, one.currency, locale) for one in sums)


SYMBOLS = {
    "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "¥", "BRL": "R$", "TRY": "₺", "RUB": "₽", "IDR": "Rp", "INR": "₹",
    "UAH": "₴", "KZT": "₸", "KRW": "₩", "ILS": "₪", "VND": "₫", "NGN": "₦", "PHP": "₱", "GEL": "₾", "PEN": "S/",
    "PLN": "zł", "CZK": "Kč", "HUF": "Ft", "SEK": "kr", "NOK": "kr", "DKK": "kr", "ISK": "kr", "CRC": "₡", "PYG": "₲",
    "GTQ": "Q", "HNL": "L", "NIO": "C$", "BOB": "Bs", "PAB": "B/.", "ZAR": "R",
} | dict.fromkeys("USD MXN CAD AUD NZD SGD HKD TWD ARS CLP COP UYU DOP".split(), "$")  # fmt: skip
"""Symbols as people at home write them. A payer sees the code as well, so a shared symbol is no problem."""
_PATTERN = re.compile(r"([^#0,.]*)([#0,]+)(?:\.0+)?([^#0,.;]*)")


def shown(money: Money, locale: str) -> str:
    """Return the amount for a payer, with symbol and code: ``"$1,200.00 USD"``, ``"1.200,00 € EUR"``.

    Babel's locale groups the digits and places the symbol; our table decides the decimals. No line breaks inside it.
    """
    symbol = SYMBOLS.get(money.currency, "")
    parts = _PATTERN.match(Locale.parse(locale).currency_formats["standard"].pattern)
    before, digits, after = parts.groups() if parts else ("", "#,##0", "")
    number = format_decimal(
        as_decimal(money.amount, money.currency),
        digits + _decimals(money.amount, money.currency),
        locale=locale,
    )
    written = f"{before}{number}{after}".replace("¤", symbol).strip("\N{NO-BREAK SPACE} ")
    return f"{written}\N{NO-BREAK SPACE}{money.currency}"


def all_shown(sums: Iterable[Money], locale: str) -> str:
    """Return the sums for a payer: ``"€120.00 EUR + $5.00 USD"``."""
    return " + ".join(shown(one, locale) for one in sums)


def _decimals(amount: int, currency: str) -> str:
    places = 0 if currency in WHOLE_UNITS_ONLY and amount % 100 == 0 else exponent(currency)
    return "." + "0" * places if places else ""


def display(amount: int, currency: str, locale: str = "en") -> str:
    """Return minor units in the manner of ``locale`` with the code; Babel formats, our table decides the decimals."""
    pattern = f"#,##0{_decimals(amount, currency)} ¤¤"
    return format_currency(as_decimal(amount, currency), currency, pattern, locale=locale, currency_digits=False)
