"""``python3 run.py bench [NAME…] [--json FILE] [--quick]``: all of them where none is named."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from bench import backlog, drain, growth, idle, ingest, ledger, link, listing, machine, poll, takeover, wake
from bench.figures import Figures, keep, told
from bench.size import QUICK, WHOLE, Size

BENCHES: Mapping[str, Callable[[Size], Awaitable[Figures]]] = {
    "ingest": ingest.measure,
    "link": link.measure,
    "poll": poll.measure,
    "wake": wake.measure,
    "takeover": takeover.measure,
    "idle": idle.measure,
    "ledger": ledger.measure,
    "backlog": backlog.measure,
    "growth": growth.measure,
    "drain": drain.measure,
    "listing": listing.measure,
}


def main() -> None:
    """Raises ``SystemExit`` for a name that is no measurement."""
    parser = argparse.ArgumentParser(prog="run.py bench", description="Measures the product beside its bare peers.")
    parser.add_argument("name", nargs="*", help=f"any of {', '.join(BENCHES)}; all of them where none is given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--quick", action="store_true", help="a sample of each, within three minutes")
    given = parser.parse_args()
    for name in given.name:
        if name not in BENCHES:
            parser.error(f"there is no measurement {name!r}; there are {', '.join(BENCHES)}")
    figures = machine.measure()
    for name in given.name or BENCHES:
        figures |= asyncio.run(_measured(name, QUICK if given.quick else WHOLE))
    print(f"\n{told(figures)}")
    if given.json is not None:
        keep(figures, given.json)


async def _measured(name: str, size: Size) -> Figures:
    return await BENCHES[name](size)


if __name__ == "__main__":
    main()
