"""People who do something to the very deal while the product waits for an answer of Kommo about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.kommo.records import LOST, Lead
from tests.crash.acting import installs
from tests.crash.promises import broken
from tests.crash.rig.play import Play
from tests.crash.rig.quiet import quiet
from tests.crash.rig.wire import Meeting, Passing, at
from tests.crash.scenario import Scenario

GONE_FIELD = "STRIPE_REFUNDED"
STATUS = "STRIPE_PAYMENT_STATUS"
TARGET = "Paid"
LEADS = "/api/v4/leads"


def _lead(play: Play) -> Lead:
    return play.kommo.account.leads[play.memory["deals"][0]]


def _stage(play: Play, name: str) -> int:
    return next(status.id for status in play.kommo.account.main_pipeline.statuses if status.name == name)


def _moves_it(name: str, play: Play) -> None:
    play.kommo.person().move_lead(_lead(play).id, LOST if name == "lost" else _stage(play, name))


def _merges_it_away(play: Play) -> None:
    play.kommo.person().merge_leads(play.memory["other"], _lead(play).id)


def _merges_into_it(play: Play) -> None:
    play.kommo.person().merge_leads(_lead(play).id, play.memory["other"])


def _renames_the_option(play: Play) -> None:
    play.kommo.person().rename_option(STATUS, TARGET, "Settled")


DEEDS: dict[str, Callable[[Play], object]] = {
    "moves it to Offer sent": partial(_moves_it, "Offer sent"),
    "moves it back": partial(_moves_it, "New"),
    "moves it to Awaiting payment": partial(_moves_it, "Awaiting payment"),
    "loses it": partial(_moves_it, "lost"),
    "deletes a field": lambda play: play.kommo.person().delete_field(GONE_FIELD),
    "renames the option": _renames_the_option,
    "deletes the option": lambda play: play.kommo.person().delete_option(STATUS, TARGET),
    "deletes it": lambda play: play.kommo.person().delete_lead(_lead(play).id),
    "merges it into another": _merges_it_away,
    "merges another into it": _merges_into_it,
    "the one who connected us is dismissed": lambda play: play.kommo.person().deactivate_user(
        play.memory["connected by"]
    ),
    "the responsible one is dismissed": lambda play: play.kommo.person().deactivate_user(
        _lead(play).responsible_user_id
    ),
}


@dataclass(frozen=True)
class Meddling:
    """``deed`` at the ``number``-th request: before Kommo carries it out, or between that and its answer, which may be
    lost (``in doubt``)."""

    number: int
    when: Literal["before", "after", "in doubt"]
    deed: str
    what: str
    is_a_race: bool
    """The next thing that Kommo hears of the deal is our write, whose plan rests on what was read before the deed.
    Kommo's writes know no condition, so it can't see what a person did."""

    def __str__(self) -> str:
        return f"a person {self.deed} {self.when} request {self.number} {self.what}"

    def prepare(self, play: Play) -> None:
        account = play.kommo.account
        play.memory["connected by"] = account.admin.id
        play.memory["other"] = account.add_lead("Other").id
        account.add_user("Vera Vice", "vera@acme.example", is_admin=True)
        if "responsible" in self.deed:
            _lead(play).responsible_user_id = account.add_salesperson("Rita", "rita@acme.example").id
        play.wire.fate = at(self.number, self._meeting(play))
        play.start()

    def _meeting(self, play: Play) -> Meeting:
        async def meet(passing: Passing, world: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start" and self.when != "before":
                    self._do(play)
                await send(message)

            if self.when == "before":
                self._do(play)
            if self.when == "in doubt":
                play.kommo.faults.add("504_after", passing.path, method=passing.method)
            await world(scope, receive, answered)

        return meet

    def _do(self, play: Play) -> None:
        if not play.is_struck:
            play.is_struck = True
            DEEDS[self.deed](play)

    async def judge(self, play: Play, _scenario: Scenario) -> list[str]:
        if "connected us" in self.deed and play.is_struck:
            await installs(play)
            await quiet(play)
        without = [GONE_FIELD] if self.deed == "deletes a field" else []
        merged = [play.memory["other"]] if self.deed == "merges it into another" else []
        problems = await broken(play, without=without, merged=merged)
        if self.is_a_race:
            return [problem for problem in problems if "moved back" not in problem]
        return problems + list(self._moved_against(play))

    def _moved_against(self, play: Play) -> Iterator[str]:
        """A person's stage stands; only a first move may follow, and only from an open stage before the target."""
        moves = [move for move in play.kommo.account.moves if move.lead_id == _lead(play).id]
        place = next((n for n, move in enumerate(moves) if move.via == "person"), len(moves))
        earlier, later = moves[:place], [move for move in moves[place:] if move.via == "api"]
        if later and (self.deed == "loses it" or any(move.via == "api" for move in earlier)):
            yield f"moved on after a person's choice: {later}"


def meddlings_of(play: Play) -> Iterator[Meddling]:
    passed = play.wire.passed
    for passing in passed:
        if passing.side != "kommo" or not passing.path.startswith(LEADS):
            continue
        here, later = _is_written_next(passed[passing.number :]), _is_written_next(passed[passing.number + 1 :])
        for deed in DEEDS:
            yield Meddling(passing.number, "before", deed, str(passing), here)
            yield Meddling(passing.number, "after", deed, str(passing), later)
            if passing.method != "GET":
                yield Meddling(passing.number, "in doubt", deed, str(passing), later)


def _is_written_next(passed: Sequence[Passing]) -> bool:
    """Rather than read."""
    return next((one.method == "PATCH" for one in passed if (one.side, one.path) == ("kommo", LEADS)), False)
