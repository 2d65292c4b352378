"""Whose something is: decided by rank, never by arrival. Pure, from facts alone.

Attached by a person > the deal made for its period > our request > metadata of PaymentIntent > session > invoice
> subscription > bare reference; what an object hangs on speaks for it, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from backend.facts import PARENTS, Known

Book = Mapping[str, Known]
"""Stripe id → all that is known of it, of one connection."""

ATTACHED_RANK, REQUEST_RANK, BARE_RANK, NO_DEAL_RANK = 0, 1, 6, 7
OWN_RANK = {"payment": 2, "session": 3, "invoice": 4, "subscription": 5}
CLAIMING = frozenset(("attached", "period", "request", "marked", "lead", "bare_lead", "trusted", "foreign")) | PARENTS
"""Facts that say whose something is; no other fact changes an owner."""


@dataclass(frozen=True, slots=True)
class Owner:
    """``ours`` without a lead: it is listed as unmatched."""

    ours: bool = False
    lead_id: int | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Attribution:
    """Somebody says whose this is: the smallest counts. ``lead_id`` 0: ours, and no deal is named."""

    rank: int
    strength: int
    lead_id: int
    request_id: str = ""


def owner_of(subject: str, book: Book, requests: Mapping[str, int]) -> Owner:
    """``requests``: our payment requests, id → deal. ``book`` must hold all that ``subject`` hangs on."""
    claims = sorted(_claims(subject, book, requests))
    if not claims:
        return Owner()
    request = next((claim.request_id for claim in claims if claim.request_id), None)
    return Owner(True, claims[0].lead_id or None, request)


def _claims(subject: str, book: Book, requests: Mapping[str, int]) -> Iterator[Attribution]:
    for one in (subject, *book[subject].get("payment", ())):  # a refund goes where its payment was put
        if "attached" in book.get(one, {}):
            yield Attribution(ATTACHED_RANK, 0, book[one]["attached"][1])
        if "period" in book.get(one, {}):
            yield Attribution(ATTACHED_RANK, 1, book[one]["period"])
    for one in ancestry(subject, book):
        yield from _own_claims(book[one], requests)


def _own_claims(known: Known, requests: Mapping[str, int]) -> Iterator[Attribution]:
    if known.get("request") in requests:
        yield Attribution(REQUEST_RANK, 0, requests[known["request"]], known["request"])
    if "foreign" in known:
        return
    if "lead" in known:
        strength, lead_id = known["lead"]
        yield Attribution(OWN_RANK.get(known.get("kind", ""), OWN_RANK["subscription"]), strength, lead_id)
    if "bare_lead" in known and "trusted" in known:
        yield Attribution(BARE_RANK, 0, known["bare_lead"])
    if "marked" in known or "bare_lead" in known:
        yield Attribution(NO_DEAL_RANK, 0, 0)


def ancestry(subject: str, book: Book) -> list[str]:
    """``subject``, what it hangs on, what that hangs on, and so on, each once."""
    line: list[str] = []
    waiting = [subject]
    while waiting:
        one = waiting.pop(0)
        if one in book and one not in line:
            line.append(one)
            waiting += parents_of(book[one])
    return line


def parents_of(known: Known) -> list[str]:
    return sorted(parent for name in PARENTS & known.keys() for parent in known[name])


def claims_changed(before: Known, after: Known) -> bool:
    return any(before.get(name) != after.get(name) for name in CLAIMING)


def under_policy(told: Mapping[str, Known], policy: str) -> dict[str, Known]:
    """A bare reference counts if it came while the connection trusted them: later events can't take that back."""
    trusted: Known = {"trusted": True} if policy == "trust" else {}
    return {subject: {**known, **trusted} if "bare_lead" in known else known for subject, known in told.items()}


def request_ids(knowns: Iterable[Known]) -> set[str]:
    return {known["request"] for known in knowns if "request" in known}
