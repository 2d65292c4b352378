"""Stripe's own rules of amounts (docs/facts/stripe.md E), written apart from the product's: each checks the other."""

from sandbox.stripe.doubts.switches import Switches
from sandbox.stripe.objects.refusals import Refusal

ZERO = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE = frozenset("bhd jod kwd omr tnd".split())
HUNDREDS_ONLY = frozenset(("isk", "ugx"))
TWO = frozenset(
    (
        "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop "
        "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes "
        "kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
        "pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd "
        "tzs uah ugx usd uyu uzs wst xcd xcg yer zar zmw"
    ).split()
)
KNOWN = ZERO | THREE | TWO

LEAST = {
    "gbp": 30, "aed": 200, "pln": 200, "ron": 200, "myr": 200, "czk": 1500, "dkk": 250, "sek": 300, "nok": 300,
    "hkd": 400, "mxn": 1000, "thb": 1000, "jpy": 50, "krw": 50, "huf": 17500,
} | dict.fromkeys("usd eur aud brl cad chf inr nzd sgd ars cop idr ils php rub zar".split(), 50)  # fmt: skip


def decimals(currency: str) -> int:
    return 0 if currency in ZERO else 3 if currency in THREE else 2


def major(amount: int, currency: str) -> str:
    """``"120.00 EUR"``, for pages and messages."""
    places = decimals(currency)
    return f"{amount / 10**places:,.{places}f} {currency.upper()}"


def check_currency(currency: str, param: str) -> str:
    if currency.lower() not in KNOWN:
        raise Refusal(f"Invalid currency: {currency.lower()}. Stripe does not support this currency.", param=param)
    return currency.lower()


def check_unit_amount(amount: int, currency: str, param: str, switches: Switches) -> None:
    """One line's price: whole units where the currency has no smaller ones, a last digit of 0 with three decimals."""
    if amount < 0:
        raise Refusal("Invalid non-negative integer", code="parameter_invalid_integer", param=param)
    if currency in HUNDREDS_ONLY and amount % 100:
        raise Refusal(f"Amounts in {currency.upper()} must be divisible by 100.", param=param)
    if currency in THREE and amount % 10 and switches["three_decimal_rule"] == "last_digit_zero":
        raise Refusal(f"Amounts in {currency.upper()} must be divisible by 10.", param=param)


def check_total(total: int, currency: str, param: str, switches: Switches) -> None:
    """A total of 0 is a no-cost order; everything else lies between Stripe's least and most."""
    least, most = LEAST.get(currency, 1), 10 ** int(switches["amount_digits"]) - 1
    if 0 < total < least:
        sentence = f"The Checkout Session's total amount due must add up to at least {major(least, currency)}"
        raise Refusal(sentence, code="amount_too_small", param=param)
    if total > most:
        sentence = f"The Checkout Session's total amount must be no more than {major(most, currency)}"
        raise Refusal(sentence, code="amount_too_large", param=param)
