"""What payers, banks and the shop's people do."""

from fastapi import APIRouter
from pydantic import BaseModel

from sandbox.stripe.lives.checkout import Payer
from sandbox.stripe.lives.foreign import Foreign
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.served import World

router = APIRouter()


class Outcome(BaseModel):
    outcome: str = "paid"


class RefundOrder(BaseModel):
    amount: int | None = None
    outcome: str = "succeeded"


class DisputeOrder(BaseModel):
    amount: int | None = None
    reason: str = "fraudulent"
    inquiry: bool = False


class InvoiceOrder(BaseModel):
    amount: int
    currency: str = "eur"
    metadata: dict[str, str] = {}


class InvoicePaymentOrder(BaseModel):
    amount: int | None = None
    outside: bool = False


@router.post("/sessions/{id}/pay")
async def pay(world: World, id: str, payer: Payer) -> Obj:
    return world.pay_session(id, payer)


@router.post("/sessions/{id}/start_paying")
async def start_paying(world: World, id: str) -> None:
    world.start_paying(id)


@router.post("/payments/{id}/settle")
async def settle(world: World, id: str, body: Outcome) -> Obj:
    return world.settle_payment(id, body.outcome)


@router.post("/payments/{id}/refund")
async def refund(world: World, id: str, body: RefundOrder) -> Obj:
    return world.refund(id, body.amount, body.outcome)


@router.post("/payments/{id}/dispute")
async def dispute(world: World, id: str, body: DisputeOrder) -> Obj:
    return world.open_dispute(id, body.amount, body.reason, inquiry=body.inquiry)


@router.post("/refunds/{id}/finish")
async def finish_refund(world: World, id: str, body: Outcome) -> Obj:
    return world.finish_refund(id, body.outcome)


@router.post("/disputes/{id}/answer")
async def answer_dispute(world: World, id: str) -> Obj:
    return world.answer_dispute(id)


@router.post("/disputes/{id}/close")
async def close_dispute(world: World, id: str, body: Outcome) -> Obj:
    return world.close_dispute(id, body.outcome)


@router.post("/subscriptions/{id}/renew")
async def renew(world: World, id: str, body: Outcome) -> Obj:
    return world.renew_subscription(id, body.outcome)


@router.post("/subscriptions/{id}/retry")
async def retry(world: World, id: str) -> Obj:
    return world.retry_renewal(id)


@router.post("/subscriptions/{id}/cancel")
async def cancel(world: World, id: str) -> Obj:
    return world.cancel_subscription(id)


@router.post("/invoices")
async def send_invoice(world: World, body: InvoiceOrder, account: str | None = None, live: bool = False) -> Obj:
    return world.send_invoice(body.amount, body.currency, body.metadata, account=account, live=live)


@router.post("/invoices/{id}/pay")
async def pay_invoice(world: World, id: str, body: InvoicePaymentOrder) -> Obj:
    return world.pay_invoice(id, body.amount, outside=body.outside)


@router.post("/foreign")
async def foreign(world: World, what: Foreign, account: str | None = None, live: bool = False) -> Obj:
    return world.foreign_payment(what, account=account, live=live)
