"""Whose something is: decided by rank, never by arrival. Pure, from facts alone.

Attached by a person > the deal made for its period > a correction of the subscription's metadata, for the invoices
made since > our request > metadata of PaymentIntent > session > invoice > subscription as the invoice took it over >
subscription as it was first > bare reference; what an object hangs on speaks for it, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from backend.facts import PARENTS, Known

Book = Mapping[str, Known]
"""Stripe id → all that is known of it, of one connection."""

ATTACHED_RANK, REQUEST_RANK, SNAPSHOT_RANK, BARE_RANK, NO_DEAL_RANK = 0, 1, 5, 7, 8
OWN_RANK = {"payment": 2, "session": 3, "invoice": 4, "subscription": 6}
DATED = frozenset(("first_lead", "last_lead"))
"""Facts that say a deal and since when; the moment alone changes no owner."""
CLAIMING = (
    frozenset(("attached", "period", "request", "marked", "lead", "bare_lead", "trusted", "foreign"))
    | {"snapshot", "snapshot_foreign"}
    | DATED
    | PARENTS
)
"""Facts that say whose something is; no other fact changes an owner."""


@dataclass(frozen=True, slots=True)
class Owner:
    """``ours`` without a lead: it is listed as unmatched."""

    ours: bool = False
    lead_id: int | None = None
    request_id: str | None = None

    def at_survivor(self, survivors: Mapping[int, int]) -> "Owner":
        """The same where the deal was merged into another; ``survivors``: merged deal → the one that lives."""
        return replace(self, lead_id=survivors.get(self.lead_id, self.lead_id)) if self.lead_id else self


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
    if "last_lead" in book[subject]:
        yield from _corrected(book[subject], book[subject]["last_lead"][2])
    for one in ancestry(subject, book):
        for contract in book[one].get("subscription", ()) if "snapshot" in book[one] else ():
            yield from _corrected(book.get(contract, {}), book[one]["snapshot"][1])
        yield from _own_claims(book[one], requests)


def _corrected(contract: Known, lead_id: int) -> Iterator[Attribution]:
    """Where a person gave the contract to another deal than it began with: that deal's, from then on."""
    if _first_lead(contract)[1] not in (0, lead_id):
        yield Attribution(ATTACHED_RANK, 2, lead_id)


def _first_lead(contract: Known) -> tuple[int, int]:
    """(strength, deal) that the contract began with; rows of an earlier release tell it without a time."""
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
    """``subject``, what it hangs on, what that hangs on, and so on, each once."""
    line: list[str] = []
    waiting = [subject]
    while waiting:
        one = waiting.pop(0)
        if one in book and one not in line:
            line.append(one)
            waiting += _speakers(book[one])
    return line


def _speakers(known: Known) -> list[str]:
    """What it hangs on, without a contract that was another account's when this invoice was made."""
    gone = known.get("subscription", ()) if "snapshot_foreign" in known else ()
    return [parent for parent in parents_of(known) if parent not in gone]


def parents_of(known: Known) -> list[str]:
    return sorted(parent for name in PARENTS & known.keys() for parent in known[name])


def claims_changed(before: Known, after: Known) -> bool:
    return any(_said(name, before) != _said(name, after) for name in CLAIMING)


def _said(name: str, known: Known) -> object:
    return known[name][1:] if name in DATED and name in known else known.get(name)


def under_policy(told: Mapping[str, Known], policy: str) -> dict[str, Known]:
    """A bare reference counts if it came while the connection trusted them: later events can't take that back."""
    trusted: Known = {"trusted": True} if policy == "trust" else {}
    return {subject: {**known, **trusted} if "bare_lead" in known else known for subject, known in told.items()}


def request_ids(knowns: Iterable[Known]) -> set[str]:
    return {known["request"] for known in knowns if "request" in known}
