"""Forms measured in turn, round after round, so that whatever else the machine does hits all of them alike."""

from collections.abc import Awaitable, Callable, Mapping

from bench.rig.load import Measured


async def best_of(rounds: int, forms: Mapping[str, Callable[[], Awaitable[Measured]]]) -> dict[str, Measured]:
    """The fastest round of each form. Raises ``AnswersWereWrong``: a fast refusal is no speed."""
    best: dict[str, Measured] = {}
    for _ in range(rounds):
        for name, form in forms.items():
            measured = await form()
            if measured.failures:
                raise AnswersWereWrong(f"{name}: {measured.failures} answers were not the wanted ones")
            if name not in best or measured.requests_per_second > best[name].requests_per_second:
                best[name] = measured
    return best


def ratio(ours: Measured, bare: Measured) -> float:
    return ours.requests_per_second / bare.requests_per_second


class AnswersWereWrong(Exception):
    """Some answers of a round had another status than the one that was measured."""
