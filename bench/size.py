"""How much is measured: whole, or as a sample that ends within three minutes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """``rounds`` of each form, in turn; the best counts, since all that disturbs a round makes it slower."""

    rounds: int
    events: int
    backlog: int
    deals: int
    links: int
    finished: int
    wakes: int
    payments: int


WHOLE = Size(
    rounds=3, events=4000, backlog=20_000, deals=5000, links=300, finished=1_000_000, wakes=300, payments=100_000
)
QUICK = Size(rounds=2, events=1200, backlog=3000, deals=600, links=60, finished=50_000, wakes=60, payments=20_000)
