"""The name of an entry's request: the same for the same entry, another for each other one."""

from itertools import product

from backend.automation.rules.entry import request_id

PARTS = ((1, 2), (7, 8), ("rule", "other"), (1_800_000_000.0, 1_800_000_001.0))


def test_each_entry_has_a_request_id_of_its_own_that_a_new_process_finds_again() -> None:
    entries = [*product(*PARTS)]
    assert len({request_id(*entry) for entry in entries}) == len(entries)
    assert request_id(1, 7, "rule", 1_800_000_000.9) == "2e4e78a3-b2d6-5046-bcb7-e2dd719b1d06"
