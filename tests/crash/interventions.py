"""People who do something to the very deal while the product waits for an answer of Kommo about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.kommo.records import LOST, Lead
from tests.crash.actions import installs
from tests.crash.invariants import broken
from tests.crash.rig.killable import KillableWorld
from tests.crash.rig.quiet import quiet
from tests.crash.rig.wire import Meeting, Passing, at
from tests.crash.scenario import Scenario

GONE_FIELD = "STRIPE_REFUNDED"
STATUS = "STRIPE_PAYMENT_STATUS"
TARGET = "Paid"
LEADS = "/api/v4/leads"


def _lead(world: KillableWorld) -> Lead:
    return world.kommo.account.leads[world.memory["deals"][0]]


def _stage(world: KillableWorld, name: str) -> int:
    return next(status.id for status in world.kommo.account.main_pipeline.statuses if status.name == name)


def _moves_it(name: str, world: KillableWorld) -> None:
    world.kommo.person().move_lead(_lead(world).id, LOST if name == "lost" else _stage(world, name))


def _merges_it_away(world: KillableWorld) -> None:
    world.kommo.person().merge_leads(world.memory["other"], _lead(world).id)


def _merges_into_it(world: KillableWorld) -> None:
    world.kommo.person().merge_leads(_lead(world).id, world.memory["other"])


def _renames_the_option(world: KillableWorld) -> None:
    world.kommo.person().rename_option(STATUS, TARGET, "Settled")


DEEDS: dict[str, Callable[[KillableWorld], object]] = {
    "moves it to Offer sent": partial(_moves_it, "Offer sent"),
    "moves it back": partial(_moves_it, "New"),
    "moves it to Awaiting payment": partial(_moves_it, "Awaiting payment"),
    "loses it": partial(_moves_it, "lost"),
    "deletes a field": lambda world: world.kommo.person().delete_field(GONE_FIELD),
    "renames the option": _renames_the_option,
    "deletes the option": lambda world: world.kommo.person().delete_option(STATUS, TARGET),
    "deletes it": lambda world: world.kommo.person().delete_lead(_lead(world).id),
    "merges it into another": _merges_it_away,
    "merges another into it": _merges_into_it,
    "the one who connected us is dismissed": lambda world: world.kommo.person().deactivate_user(
        world.memory["connected by"]
    ),
    "the responsible one is dismissed": lambda world: world.kommo.person().deactivate_user(
        _lead(world).responsible_user_id
    ),
}


@dataclass(frozen=True)
class Intervention:
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

    def prepare(self, world: KillableWorld) -> None:
        account = world.kommo.account
        world.memory["connected by"] = account.admin.id
        world.memory["other"] = account.add_lead("Other").id
        account.add_user("Vera Vice", "vera@acme.example", is_admin=True)
        if "responsible" in self.deed:
            _lead(world).responsible_user_id = account.add_salesperson("Rita", "rita@acme.example").id
        world.wire.fate = at(self.number, self._meeting(world))
        world.start()

    def _meeting(self, world: KillableWorld) -> Meeting:
        async def meet(passing: Passing, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start" and self.when != "before":
                    self._do(world)
                await send(message)

            if self.when == "before":
                self._do(world)
            if self.when == "in doubt":
                world.kommo.faults.add("504_after", passing.path, method=passing.method)
            await app(scope, receive, answered)

        return meet

    def _do(self, world: KillableWorld) -> None:
        if not world.is_struck:
            world.is_struck = True
            DEEDS[self.deed](world)

    async def judge(self, world: KillableWorld, _scenario: Scenario) -> list[str]:
        if "connected us" in self.deed and world.is_struck:
            await installs(world)
            await quiet(world)
        without = [GONE_FIELD] if self.deed == "deletes a field" else []
        merged = [world.memory["other"]] if self.deed == "merges it into another" else []
        problems = await broken(world, without=without, merged=merged)
        if self.is_a_race:
            return [problem for problem in problems if "moved back" not in problem]
        return problems + list(self._moved_against(world))

    def _moved_against(self, world: KillableWorld) -> Iterator[str]:
        """A person's stage stands; only a first move may follow, and only from an open stage before the target."""
        moves = [move for move in world.kommo.account.moves if move.lead_id == _lead(world).id]
        place = next((n for n, move in enumerate(moves) if move.via == "person"), len(moves))
        earlier, later = moves[:place], [move for move in moves[place:] if move.via == "api"]
        if later and (self.deed == "loses it" or any(move.via == "api" for move in earlier)):
            yield f"moved on after a person's choice: {later}"


def interventions_of(world: KillableWorld) -> Iterator[Intervention]:
    passed = world.wire.passed
    for passing in passed:
        if passing.side != "kommo" or not passing.path.startswith(LEADS):
            continue
        here, later = _is_written_next(passed[passing.number :]), _is_written_next(passed[passing.number + 1 :])
        for deed in DEEDS:
            yield Intervention(passing.number, "before", deed, str(passing), here)
            yield Intervention(passing.number, "after", deed, str(passing), later)
            if passing.method != "GET":
                yield Intervention(passing.number, "in doubt", deed, str(passing), later)


def _is_written_next(passed: Sequence[Passing]) -> bool:
    """Rather than read."""
    return next((one.method == "PATCH" for one in passed if (one.side, one.path) == ("kommo", LEADS)), False)
