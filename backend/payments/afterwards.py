"""The next step for a client who has paid: the deal's statement, or a link for the outstanding amount."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.money import Money
from backend.payments.deal.offer import offer_of
from backend.payments.find import Link
from backend.payments.statement import statement_token
from backend.resources import Resources


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The next step after a payment. ``open``: the amounts that are neither paid nor under way, one for each currency.

    ``statement``: the statement's token, or ''. ``rest``: the token of a link that asks for ``offered``, or ''.
    """

    open: Sequence[Money] = ()
    statement: str = ""
    rest: str = ""
    offered: Money | None = None


async def afterwards(resources: Resources, link: Link) -> Afterwards:
    """Return the payable amounts and a way to pay them: the statement if the admin
    enabled it, else an open link if any.

    A deal that is being paid or disputed offers no link, but its payable amounts are returned all the same.
    """
    if link.asked is None:
        return Afterwards()
    still = [Money(one.payable, one.currency) for one in link.ledger.open_sums if one.payable]
    statement = await statement_token(resources, link.account, link.request.lead_id)
    offer = offer_of(link.ledger) if statement is None else None
    rest = offer.link if offer else None
    return Afterwards(still, statement or "", rest.link_token if rest else "", offer.money if offer and rest else None)
