"""Random deals in three currencies, as plain descriptions, and what each comes to: said again without the ledger."""

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from backend.ledger.deal import DealLedger, Dispute, Payment, Refund, Request
from tests.ledger.build import NOW, deal, payment, request, session

ACCOUNT, CURRENCIES = "EUR", ("EUR", "USD", "JPY")
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Coin:
    """A payment: what came, what went back, and its dispute ("" for none)."""

    amount: int
    currency: str
    at: int
    back: int = 0
    dispute: str = ""

    @property
    def gone(self) -> int:
        return min(self.amount, self.back + (self.amount if self.dispute == "lost" else 0))


@dataclass(frozen=True)
class Wish:
    """A request. ``fate``: open, expired, cancelled, replaced, free (full discount) or bank (debit under way)."""

    amount: int
    currency: str
    kind: str
    total: int
    fate: str
    at: int
    coins: tuple[Coin, ...] = ()

    @property
    def settled(self) -> bool:
        return bool(self.coins) or self.fate == "free"

    @property
    def live(self) -> bool:
        return self.settled or self.fate in ("open", "expired", "bank")

    @property
    def worth(self) -> int:
        return self.coins[0].amount if self.coins else 0 if self.fate == "free" else self.amount


@dataclass(frozen=True)
class OddDeal:
    wishes: tuple[Wish, ...]
    strays: tuple[Coin, ...]

    # what it comes to

    @property
    def coins(self) -> list[Coin]:
        return [coin for wish in self.wishes for coin in wish.coins] + list(self.strays)

    @property
    def live(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.live]

    def gross(self, currency: str) -> int:
        return sum(coin.amount for coin in self.coins if coin.currency == currency)

    def back(self, currency: str) -> int:
        return sum(coin.gone for coin in self.coins if coin.currency == currency)

    def expected(self, currency: str) -> int:
        mine = [wish for wish in self.live if wish.currency == currency]
        if not mine:
            return self.gross(currency)
        return max([sum(wish.worth for wish in mine)] + [wish.total for wish in mine if wish.kind != "full"])

    def open(self, currency: str) -> int:
        return max(0, self.expected(currency) - self.gross(currency))

    @property
    def opens(self) -> dict[str, int]:
        return {one: self.open(one) for one in CURRENCIES if self.open(one)}

    @property
    def under_way(self) -> bool:
        return any(wish.fate == "bank" and not wish.coins for wish in self.wishes)

    def coming(self, currency: str) -> int:
        banks = (wish for wish in self.live if wish.fate == "bank" and not wish.coins)
        return sum(wish.worth for wish in banks if wish.currency == currency)

    @property
    def currency(self) -> str:
        asked = [wish.currency for wish in self.live or self.wishes]
        came = {coin.currency for coin in self.coins}
        if ACCOUNT in came or (not came and (ACCOUNT in asked or not asked)):
            return ACCOUNT
        settled = [(wish.at, wish.currency) for wish in self.wishes if wish.settled]
        settled += [(coin.at, coin.currency) for coin in self.strays]
        if not settled:
            return min((wish.at, wish.currency) for wish in self.live or self.wishes)[1]
        count = Counter(currency for _, currency in settled)
        return min(settled, key=lambda one: (-count[one[1]], one[0]))[1]

    @property
    def state(self) -> str:
        coins = self.coins
        if any(coin.dispute in ("needs_response", "lost") for coin in coins):
            return "disputed"
        if coins and all(coin.gone == coin.amount for coin in coins):
            return "refunded"
        if any(self.back(one) and self.gross(one) - self.back(one) < self.expected(one) for one in CURRENCIES):
            return "partially_refunded"
        if not self.opens and (coins or self.live):
            return "paid"
        if coins:
            return "partially_paid"
        if self.under_way:
            return "processing"
        return "pending" if not self.wishes or any(w.settled or w.fate == "open" for w in self.wishes) else "cancelled"

    # the same for the product

    @property
    def ledger(self) -> DealLedger:
        parts: list[Request | Payment] = []
        for number, wish in enumerate(self.wishes):
            name = f"r{number}"
            bank = session("complete", "unpaid", id=f"cs_{number}", asked=(wish.amount, wish.currency))
            free = session("complete", "no_payment_required", id=f"cs_{number}", asked=(0, wish.currency))
            parts.append(
                request(
                    wish.amount, id=name, currency=wish.currency, kind=wish.kind, deal_total=wish.total or None,
                    created_at=NOW - DAY + wish.at, cancelled=wish.fate == "cancelled",
                    replaced_by="newer" if wish.fate == "replaced" else None,
                    expires_at=NOW - 1 if wish.fate == "expired" else None, ended=wish.fate == "expired",
                    link_token=f"token{number:011}",
                    sessions={"free": (free,), "bank": (bank,)}.get(wish.fate, ()), description=f"Part {number}",
                )
            )  # fmt: skip
            parts += [_payment(coin, f"{name}_{n}", name) for n, coin in enumerate(wish.coins)]
        parts += [_payment(coin, f"s_{n}", None) for n, coin in enumerate(self.strays)]
        return deal(*parts, account_currency=ACCOUNT)

    def with_wish(self, wish: Wish, *, replaced: int | None) -> "OddDeal":
        kept = [replace(w, fate="replaced") if n == replaced else w for n, w in enumerate(self.wishes)]
        return OddDeal((*kept, wish), self.strays)

    def paying(self, number: int, coin: Coin) -> "OddDeal":
        wishes = [replace(w, coins=(*w.coins, coin)) if n == number else w for n, w in enumerate(self.wishes)]
        return OddDeal(tuple(wishes), self.strays)


def _payment(coin: Coin, name: str, asked: str | None) -> Payment:
    back = Refund(f"re_{name}", coin.back, coin.currency, "succeeded", NOW - 30)
    dispute = Dispute(f"du_{name}", coin.amount, coin.currency, coin.dispute, "general", NOW - 30, None, None)
    return payment(
        coin.amount, id=f"pi_{name}", currency=coin.currency, request_id=asked, paid_at=NOW - DAY + coin.at,
        refunds=(back,) if coin.back else (), disputes=(dispute,) if coin.dispute else (),
    )  # fmt: skip


AMOUNTS = st.sampled_from([1000, 3000, 40000])
TIMES = st.integers(0, 80000)
FATES = ("", "", "", "won", "needs_response", "lost", "warning_needs_response", "warning_closed")


@st.composite
def coins(draw: st.DrawFn, currency: str, amount: int | None = None) -> Coin:
    paid = amount or draw(AMOUNTS)
    back = draw(st.sampled_from([0, 0, 0, 500, paid]))
    return Coin(paid, currency, draw(TIMES), back, draw(st.sampled_from(FATES)))


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    amount, currency = draw(AMOUNTS), draw(st.sampled_from(CURRENCIES))
    kind = draw(st.sampled_from(["full", "full", "deposit", "rest"]))
    total = draw(st.sampled_from([0, amount, 50000])) if kind == "deposit" else 0
    fate = draw(st.sampled_from(["open", "open", "open", "expired", "cancelled", "replaced", "free", "bank"]))
    paid = (
        () if fate == "free" else draw(st.lists(coins(currency, amount), max_size=draw(st.sampled_from([0, 1, 1, 2]))))
    )
    return Wish(amount, currency, kind, total, fate, draw(TIMES), tuple(sorted(paid, key=lambda one: one.at)))


ODD_DEALS = st.builds(
    OddDeal,
    st.lists(wishes(), max_size=4).map(tuple),
    st.lists(st.sampled_from(CURRENCIES).flatmap(coins), max_size=2).map(tuple),
).filter(lambda odd: len({w.at for w in odd.wishes} | {c.at for c in odd.coins}) == len(odd.wishes) + len(odd.coins))
