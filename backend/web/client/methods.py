"""The name of a payment method as a payer knows it, with the last four digits if there are any."""

from collections.abc import Mapping

from backend.ledger.deal import Method

CARDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
DEBITS = {"acss_debit": "ACSS", "au_becs_debit": "BECS", "bacs_debit": "Bacs", "sepa_debit": "SEPA"}
OWN_NAMES = {
    "blik": "BLIK",
    "cashapp": "Cash App Pay",
    "eps": "EPS",
    "fpx": "FPX",
    "ideal": "iDEAL",
    "kakao_pay": "KakaoPay",
    "mobilepay": "MobilePay",
    "oxxo": "OXXO",
    "p24": "Przelewy24",
    "paynow": "PayNow",
    "paypal": "PayPal",
    "promptpay": "PromptPay",
    "twint": "TWINT",
    "wechat_pay": "WeChat Pay",
}
"""Names of services, the same in every language. Stripe's own name serves for the others: "amazon_pay", "pix"."""


def method_name(method: Method, texts: Mapping[str, str]) -> str:
    """Return the method's name: ``"Visa •••• 4242"``, ``"Bank debit (SEPA) •••• 3000"``, ``"Pix"``."""
    digits = f" •••• {method.last_four}" if method.last_four else ""
    return f"{_name(method, texts)}{digits}"


def _name(method: Method, texts: Mapping[str, str]) -> str:
    if method.kind in ("card", "card_present"):
        return CARDS.get(method.brand, texts["method_card"])
    if method.kind in DEBITS:
        return f"{texts['method_debit']} ({DEBITS[method.kind]})"
    if method.kind == "us_bank_account":
        return texts["method_debit"]
    if method.kind in ("customer_balance", "bank_transfer", "ach_credit_transfer"):
        return texts["method_transfer"]
    return OWN_NAMES.get(method.kind, method.kind.replace("_", " ").title())
