"""POST /v1/refunds."""

from backend.sandbox.stripe import refunds
from backend.sandbox.stripe.api.call import Call
from backend.sandbox.stripe.schemas import Obj


def create(call: Call) -> Obj:
    return refunds.refund(call.shelf, call.params, call.world.next_refund)
