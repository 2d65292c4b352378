"""``python3 run.py bench [ingest|link|drain]``: all of them where none is named."""

import asyncio
import sys

from bench import drain, ingest, link

BENCHES = {"ingest": ingest.measure, "link": link.measure, "drain": drain.measure}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no measurement {unknown[0]!r}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        asyncio.run(BENCHES[name]())
    return 0


sys.exit(main(sys.argv[1:]))
