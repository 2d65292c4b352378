"""What payers, banks and the shop's people do."""

from fastapi import APIRouter
from pydantic import BaseModel

from sandbox.stripe.lives.checkout import Payer
from sandbox.stripe.lives.foreign import Foreign
from sandbox.stripe.objects.schemas import Obj
from sandbox.stripe.served import World

router = APIRouter(prefix="/_sandbox")


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
    recorded: bool = True


class SeveralInvoices(BaseModel):
    invoices: list[str]


class Extra(BaseModel):
    amount: int
    metadata: dict[str, str] = {}
    reason: str = "subscription_update"


class Metadata(BaseModel):
    metadata: dict[str, str]


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
    return world.pay_invoice(id, body.amount, outside=body.outside, recorded=body.recorded)


@router.post("/invoices/pay_together")
async def pay_invoices(world: World, body: SeveralInvoices) -> Obj:
    return world.pay_invoices(body.invoices)


@router.post("/invoices/{id}/give_up")
async def give_up_invoice(world: World, id: str, body: Outcome) -> Obj:
    return world.give_up_invoice(id, body.outcome)


@router.post("/subscriptions/{id}/items")
async def add_invoice_item(world: World, id: str, body: Extra) -> Obj:
    return world.add_invoice_item(id, body.amount, body.metadata)


@router.post("/subscriptions/{id}/bill")
async def bill(world: World, id: str, body: Extra) -> Obj:
    return world.bill_subscription(id, body.amount, body.reason)


@router.post("/subscriptions/{id}/mark")
async def mark(world: World, id: str, body: Metadata) -> Obj:
    return world.mark_subscription(id, body.metadata)


@router.post("/foreign")
async def foreign(world: World, what: Foreign, account: str | None = None, live: bool = False) -> Obj:
    return world.foreign_payment(what, account=account, live=live)
