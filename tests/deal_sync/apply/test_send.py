"""Fifty at once, and Kommo does not like all of them: what the others pay for it, in calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from backend.deal_sync.apply.send import Outcome, send
from backend.kommo_api.errors import (
    FieldError,
    KommoConnectionError,
    KommoError,
    KommoForbidden,
    KommoRateLimited,
    KommoRefused,
)

FIFTY = {str(number): f"deal {number}" for number in range(1000, 1050)}


def by_request(*bad: str) -> KommoRefused:
    return KommoRefused("no", by_request={key: [FieldError("x", "name", "bad")] for key in bad}, by_lead={})


def by_lead(*bad: str) -> KommoRefused:
    return KommoRefused("no", by_request={}, by_lead={int(key): "bad" for key in bad})


def unnamed(*_bad: str) -> KommoRefused:
    return KommoRefused("no", by_request={}, by_lead={})


@dataclass
class Kommo:
    """Takes a batch whole or not at all, unless it is ``partial``. ``bad``: item → how it is refused."""

    bad: Mapping[str, object]
    partial: bool = False
    errors: dict[int, KommoError] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    async def take(self, batch: Mapping[str, str]) -> Mapping[str, int]:
        self.calls.append(sorted(batch))
        if error := self.errors.get(len(self.calls)):
            raise error
        wrong = [key for key, item in batch.items() if key in self.bad and "mended" not in item]
        if wrong and not (self.partial and len(wrong) < len(batch)):
            refusal = self.bad[wrong[0]]
            raise refusal(*wrong) if callable(refusal) else refusal  # type: ignore[misc]
        return {key: int(key) for key in batch if key not in wrong}


async def sent(kommo: Kommo, **given: object) -> Outcome[int]:
    return await send(FIFTY, kommo.take, **{"is_repeatable": True} | given)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [["1007"], ["1007", "1033"]])
@pytest.mark.parametrize("named", [by_request, by_lead])
async def test_a_batch_whose_refusal_names_deals_costs_one_more_call(bad: list[str], named: object) -> None:
    kommo = Kommo(dict.fromkeys(bad, named))
    outcome = await sent(kommo)
    assert (sorted(outcome.refused), len(outcome.done), len(kommo.calls)) == (bad, 50 - len(bad), 2)


@pytest.mark.parametrize(("bad", "calls"), [(["1007"], 13), (["1007", "1033"], 23)])
@pytest.mark.parametrize("refusal", [unnamed, KommoForbidden("244")])
async def test_one_that_is_not_named_is_found_by_halves(bad: list[str], calls: int, refusal: object) -> None:
    kommo = Kommo(dict.fromkeys(bad, refusal))
    outcome = await sent(kommo)
    assert (sorted(outcome.refused), len(outcome.done)) == (bad, 50 - len(bad))
    assert len(kommo.calls) <= calls


async def test_one_that_is_left_out_of_the_answer_goes_alone() -> None:
    kommo = Kommo({"1007": by_request}, partial=True)
    outcome = await sent(kommo)
    assert (list(outcome.refused), len(outcome.done)) == (["1007"], 49)
    assert kommo.calls[1:] == [["1007"]]


async def test_one_that_is_left_out_and_must_not_be_doubled_is_in_doubt() -> None:
    kommo = Kommo({"1007": by_request}, partial=True)
    outcome = await sent(kommo, is_repeatable=False)
    assert (outcome.doubtful, len(outcome.done), len(kommo.calls)) == ({"1007"}, 49, 1)


async def test_what_can_be_left_out_is_and_all_go_again_at_once() -> None:
    kommo = Kommo(dict.fromkeys(FIFTY, by_request))
    outcome = await sent(kommo, mend=lambda item, _: f"{item}, mended")
    assert (len(outcome.done), len(outcome.mended), len(kommo.calls)) == (50, 50, 2)


async def test_each_deal_is_corrected_by_its_own_refusal() -> None:
    kommo = Kommo(dict.fromkeys(["1007", "1033"], by_request))
    outcome = await sent(kommo, mend=lambda item, refusal: f"{item}, mended" if "1007" in refusal.by_request else None)
    assert (list(outcome.mended), list(outcome.refused), len(outcome.done)) == (["1007"], ["1033"], 49)


@pytest.mark.parametrize("error", [KommoRateLimited(), KommoConnectionError(doubtful=True)])
async def test_what_was_done_before_an_error_stays_done(error: KommoError) -> None:
    kommo = Kommo({"1007": unnamed}, errors={3: error})
    outcome = await sent(kommo)
    assert outcome.error is error
    assert len(outcome.done) == 25
    in_doubt = len(kommo.calls[2]) if error.doubtful else 0
    assert (len(outcome.doubtful), len(outcome.unsent)) == (in_doubt, 25 - in_doubt)
    assert not outcome.done.keys() & (outcome.doubtful | outcome.unsent)


async def test_where_nothing_is_allowed_it_is_not_the_deals() -> None:
    kommo = Kommo(dict.fromkeys(FIFTY, KommoForbidden("244")))
    outcome = await sent(kommo)
    assert isinstance(outcome.error, KommoForbidden)
    assert (len(outcome.unsent), outcome.refused) == (50, {})
    assert len(kommo.calls) < 15


async def test_what_was_left_out_at_each_try_is_told_in_the_end() -> None:
    """First one part is refused, and with the second try another."""

    def refusal(path: str) -> KommoRefused:
        return KommoRefused("no", by_request={"1007": [FieldError("x", path, "bad")]}, by_lead={})

    kommo = Kommo({}, errors={1: refusal("status_id"), 2: refusal("custom_fields_values.0.field_id")})
    outcome = await sent(kommo, mend=lambda item, _: f"{item}, mended")
    assert outcome.mended["1007"].paths == {"status_id", "custom_fields_values.0.field_id"}
    assert len(outcome.done) == 50
