"""The owner of an object as far as the object itself names it: our marks in metadata, or a bare reference."""

from collections.abc import Iterator, Mapping
from typing import Any

from backend.facts import Fact
from backend.stripe_api.events.parsing import EventContext, Object, clean, part_of

LEAD_DIGITS = 18
REQUEST_LENGTH = 64
NO_DEAL = "kommo_lead_id is not the number of a deal"


def metadata_facts(subject: str, row: Object, context: EventContext) -> Iterator[Fact]:
    """Yield the facts of our marks in ``metadata``: ``marked``, then ``lead`` or ``wrong``, then ``request``.

    Only ``foreign`` if they name another Kommo account; nothing without marks. ``lead``: [0, deal id], or [1, deal id]
    without an account id, where other software may have left the same keys. ``wrong``: the id is not that of a deal.
    """
    metadata = part_of(row, "metadata")
    account, lead = metadata.get("kommo_account_id"), metadata.get("kommo_lead_id")
    if account and str(account) != str(context.account_id):
        yield Fact(subject, "foreign", True)
        return
    if not (account or lead):
        return
    yield Fact(subject, "marked", True)
    number = _lead_id(lead)
    if number:
        yield Fact(subject, "lead", [0 if account else 1, number])
    else:
        yield Fact(subject, "wrong", [NO_DEAL])
    request = metadata.get("kommo_request_id")
    if account and isinstance(request, str) and clean(request):
        yield Fact(subject, "request", clean(request, REQUEST_LENGTH))


def contract_facts(
    subscription: str, row: Object, at: float, context: EventContext, invoice: str | None = None
) -> Iterator[Fact]:
    """Yield a subscription's marks at a time (epoch seconds). The marks that an invoice copied
    stay those of that invoice."""
    for fact in metadata_facts(subscription, row, context):
        if fact.name not in ("lead", "foreign"):
            yield fact
        if fact.name == "lead":
            yield Fact(subscription, "first_lead", [at, *fact.value])
            yield Fact(subscription, "last_lead", [at, *fact.value])
            if invoice:
                yield Fact(invoice, "snapshot", fact.value)
        elif fact.name == "foreign":
            yield Fact(invoice or subscription, "snapshot_foreign", True)


def bare_reference(sid: str, session: Object) -> Iterator[Fact]:
    """Yield the deal of a ``client_reference_id`` without marks. A payer can edit that of a Payment Link, so only a
    session that a server created counts (docs/facts/stripe.md B4)."""
    metadata = part_of(session, "metadata")
    lead = _lead_id(session.get("client_reference_id"))
    if lead and not session.get("payment_link") and not _is_marked(metadata):
        yield Fact(sid, "bare_lead", lead)


def _is_marked(metadata: Mapping[str, Any]) -> bool:
    return bool(metadata.get("kommo_account_id") or metadata.get("kommo_lead_id"))


def _lead_id(value: Any) -> int:
    """Return a Kommo lead id, or 0 if the value is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LEAD_DIGITS else 0
