"""Defaults of an account that change seller, amount or currency of a session that does not pin them (docs/facts B5)."""

from sandbox.stripe.objects.refusals import Refusal
from sandbox.stripe.objects.schemas import Obj

TAX_PERCENT = 9
UNFIT = (
    "Managed Payments, which is enabled by default on your account, needs an eligible tax code. Set one, or pass "
    "managed_payments[enabled]=false."
)


def pinned(params: Obj, played: str) -> Obj:
    """What the session says of the three, by its parameters and the account's default; ``Refusal`` for one unfit."""
    is_managed = _of(params, "managed_payments", played == "managed_payments")
    if _of(params, "managed_payments", played == "managed_payments_unfit") and not is_managed:
        raise Refusal(UNFIT, param="managed_payments")
    is_adaptive = _of(params, "adaptive_pricing", played == "adaptive_pricing")
    taxed = _of(params, "automatic_tax", is_managed or played == "automatic_tax")
    tax: Obj = {"liability": None, "provider": None, "status": None} | params.get("automatic_tax", {})
    return {
        "adaptive_pricing": {"enabled": is_adaptive},
        "automatic_tax": tax | {"enabled": taxed},
        "managed_payments": {"enabled": is_managed},
    }


def tax_on(session: Obj) -> int:
    """What Stripe adds by itself, in minor units."""
    net: int = session["amount_subtotal"]
    return net * TAX_PERCENT // 100 if session["automatic_tax"]["enabled"] else 0


def _of(params: Obj, name: str, default: bool) -> bool:
    return bool(params.get(name, {}).get("enabled", default))
