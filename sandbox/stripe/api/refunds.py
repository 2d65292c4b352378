"""POST /v1/refunds."""

from sandbox.stripe.api.call import Call
from sandbox.stripe.lives import refunds
from sandbox.stripe.objects.schemas import Obj


def create(call: Call) -> Obj:
    return refunds.refund(call.shelf, call.params, call.world.next_refund)
