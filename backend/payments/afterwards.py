"""Where a client who has paid goes on: to the deal's statement, or to the link for what is still open."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.money import Money
from backend.payments.deal.offer import offer_of
from backend.payments.find import Link
from backend.payments.statement import statement_token
from backend.resources import Resources


@dataclass(frozen=True, slots=True)
class Afterwards:
    """``open``: what the deal still asks for and no bank is bringing, in each currency. ``statement`` and ``rest`` are
    tokens, "" for none; ``rest`` is that of a link over ``offered``."""

    open: Sequence[Money] = ()
    statement: str = ""
    rest: str = ""
    offered: Money | None = None


async def afterwards(resources: Resources, link: Link) -> Afterwards:
    """What is open, and the way there: the statement where the admin switched it on, else an open link if there is one.

    A deal that is being paid or disputed offers nothing; what is open of it is told all the same.
    """
    if link.asked is None:
        return Afterwards()
    still = [Money(one.payable, one.currency) for one in link.ledger.open_sums if one.payable]
    statement = await statement_token(resources, link.account, link.request.lead_id)
    offer = offer_of(link.ledger) if statement is None else None
    rest = offer.link if offer else None
    return Afterwards(still, statement or "", rest.link_token if rest else "", offer.money if offer and rest else None)
