"""Addresses at which one world after another is served, so that what was set up at them can be copied."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

FIRST, LAST = 30_001, 32_700
"""Above the ports that ``free_port`` gives, and below those that systems hand to outgoing connections."""


@dataclass(eq=False)
class Addresses:
    """Three ports; ``guard`` keeps them from other test processes, ``kept`` is what was set up at them."""

    kommo: int
    guard: socket.socket
    kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def stripe(self) -> int:
        return self.kommo + 1

    @property
    def product(self) -> int:
        return self.kommo + 2

    @property
    def are_free(self) -> bool:
        with suppress(OSError):
            for port in (self.kommo, self.stripe, self.product):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
                    probe.bind(("127.0.0.1", port))
            return True
        return False


_idle: list[Addresses] = []


@contextmanager
def lent_addresses() -> Iterator[Addresses]:
    """Addresses that nobody else uses while the block runs: those of an earlier block, if they are free."""
    lent = _idle.pop() if _idle else _new()
    while not lent.are_free:
        lent = _new()
    try:
        yield lent
    finally:
        _idle.append(lent)


def _new() -> Addresses:
    """A datagram socket of the same number guards them until this process ends."""
    while True:
        first = random.randrange(FIRST, LAST, 3)
        guard = socket.socket(type=socket.SOCK_DGRAM)
        try:
            guard.bind(("127.0.0.1", first))
        except OSError:
            guard.close()
        else:
            return Addresses(first, guard)
