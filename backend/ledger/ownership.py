"""Decide by rank, never by order of arrival, which deal a Stripe object belongs to. Pure, from facts alone.

Ranks, highest first: attached by a person; the deal made for its period; a correction of the subscription's metadata,
for the invoices made since; our request; metadata of the PaymentIntent; of the session; of the invoice; the
subscription's metadata as the invoice copied it; the subscription's first metadata; a bare reference. The claims of an
object's ancestors count for the object, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from backend.facts import PARENTS, Known

Book = Mapping[str, Known]
"""Stripe id → all known facts about it, of one connection."""

ATTACHED_RANK, REQUEST_RANK, SNAPSHOT_RANK, BARE_RANK, NO_DEAL_RANK = 0, 1, 5, 7, 8
OWN_RANK = {"payment": 2, "session": 3, "invoice": 4, "subscription": 6}
DATED = frozenset(("first_lead", "last_lead"))
"""Facts that give a deal and the time since when; the time alone changes no owner."""
CLAIMING = (
    frozenset(("attached", "period", "request", "marked", "lead", "bare_lead", "trusted", "foreign"))
    | {"snapshot", "snapshot_foreign"}
    | DATED
    | PARENTS
)
"""Facts that can change an owner; no other fact does."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a Stripe object: whether it is ours, its deal and its payment request.

    ``ours`` without ``lead_id`` means that the object is listed as unmatched.
    """

    ours: bool = False
    lead_id: int | None = None
    request_id: str | None = None

    def at_survivor(self, survivors: Mapping[int, int]) -> "Owner":
        """Return the owner with its merged deal replaced by the survivor. ``survivors``:
        merged deal → surviving deal."""
        return replace(self, lead_id=survivors.get(self.lead_id, self.lead_id)) if self.lead_id else self


@dataclass(frozen=True, slots=True, order=True)
class Attribution:
    """A claim that an object is ours; the smallest claim of an object wins. ``lead_id`` 0
    means that no deal is named."""

    rank: int
    strength: int
    lead_id: int
    request_id: str = ""


def owner_of(subject: str, book: Book, requests: Mapping[str, int]) -> Owner:
    """Return the owner of ``subject``. ``requests``: our payment requests, id → deal.

    ``book`` must hold the subject and its ancestors; KeyError if it lacks the subject.
    """
    claims = sorted(_claims(subject, book, requests))
    if not claims:
        return Owner()
    request = next((claim.request_id for claim in claims if claim.request_id), None)
    return Owner(True, claims[0].lead_id or None, request)


def _claims(subject: str, book: Book, requests: Mapping[str, int]) -> Iterator[Attribution]:
    for one in (subject, *book[subject].get("payment", ())):  # a refund follows its payment
        if "attached" in book.get(one, {}):
            yield Attribution(ATTACHED_RANK, 0, book[one]["attached"][1])
        if "period" in book.get(one, {}):
            yield Attribution(ATTACHED_RANK, 1, book[one]["period"])
    if "last_lead" in book[subject]:
        yield from _corrected(book[subject], book[subject]["last_lead"][2])
    for one in ancestry(subject, book):
        for contract in book[one].get("subscription", ()) if "snapshot" in book[one] else ():
            yield from _corrected(book.get(contract, {}), book[one]["snapshot"][1])
        yield from _own_claims(book[one], requests)


def _corrected(contract: Known, lead_id: int) -> Iterator[Attribution]:
    """Yield a claim for this deal if a person moved the subscription to it from the deal that it began with."""
    if _first_lead(contract)[1] not in (0, lead_id):
        yield Attribution(ATTACHED_RANK, 2, lead_id)


def _first_lead(contract: Known) -> tuple[int, int]:
    """Return (strength, deal) of the subscription's first metadata; rows of an earlier
    release hold it without a time."""
    if "lead" in contract:
        return contract["lead"][0], contract["lead"][1]
    _, strength, lead_id = contract.get("first_lead", (0, 0, 0))
    return strength, lead_id


def _own_claims(known: Known, requests: Mapping[str, int]) -> Iterator[Attribution]:
    if known.get("request") in requests:
        yield Attribution(REQUEST_RANK, 0, requests[known["request"]], known["request"])
    if "foreign" in known:
        return
    if "lead" in known:
        strength, lead_id = known["lead"]
        yield Attribution(OWN_RANK.get(known.get("kind", ""), OWN_RANK["subscription"]), strength, lead_id)
    if "snapshot" in known:
        yield Attribution(SNAPSHOT_RANK, *known["snapshot"])
    if "first_lead" in known:
        yield Attribution(OWN_RANK["subscription"], *_first_lead(known))
    if "bare_lead" in known and "trusted" in known:
        yield Attribution(BARE_RANK, 0, known["bare_lead"])
    if "marked" in known or "bare_lead" in known:
        yield Attribution(NO_DEAL_RANK, 0, 0)


def ancestry(subject: str, book: Book) -> list[str]:
    """Return ``subject`` and its ancestors in ``book``, nearest first, each once."""
    line: list[str] = []
    waiting = [subject]
    while waiting:
        one = waiting.pop(0)
        if one in book and one not in line:
            line.append(one)
            waiting += _speakers(book[one])
    return line


def _speakers(known: Known) -> list[str]:
    """Return the parents, except a subscription that was another Kommo account's when this invoice was made."""
    gone = known.get("subscription", ()) if "snapshot_foreign" in known else ()
    return [parent for parent in parents_of(known) if parent not in gone]


def parents_of(known: Known) -> list[str]:
    """Return the Stripe ids of the objects that these facts link to, sorted."""
    return sorted(parent for name in PARENTS & known.keys() for parent in known[name])


def claims_changed(before: Known, after: Known) -> bool:
    """True if the facts that decide the owner differ between two states of an object."""
    return any(_said(name, before) != _said(name, after) for name in CLAIMING)


def _said(name: str, known: Known) -> object:
    return known[name][1:] if name in DATED and name in known else known.get(name)


def under_policy(told: Mapping[str, Known], policy: str) -> dict[str, Known]:
    """Return the facts by Stripe id, with each bare reference marked as trusted if the
    connection's ``policy`` is "trust".

    A reference counts if it arrived while the policy was "trust": later events can't revoke that.
    """
    trusted: Known = {"trusted": True} if policy == "trust" else {}
    return {subject: {**known, **trusted} if "bare_lead" in known else known for subject, known in told.items()}


def request_ids(knowns: Iterable[Known]) -> set[str]:
    """Return the ids of the payment requests that these facts name."""
    return {known["request"] for known in knowns if "request" in known}
