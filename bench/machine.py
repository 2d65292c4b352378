"""What the figures were measured on: without it no number means anything on another machine."""

import os
import platform
import statistics
import tempfile
import time

from bench.figures import Figures

WRITES = 50
PAGE = b"\0" * 4096


def measure() -> Figures:
    """The time of a write with fsync, and how many processors there are."""
    milliseconds = _fsync_ms()
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    print(f"machine: Python {platform.python_version()}, {platform.machine()}, {cores} cores, load {load:.1f}")
    print(f"         a write of 4 kB with fsync takes {milliseconds:.2f} ms")
    return {"env.fsync_ms": milliseconds, "env.cores": float(cores), "env.load": load}


def _fsync_ms() -> float:
    """Median."""
    times: list[float] = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(WRITES):
            file.write(PAGE)
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000
