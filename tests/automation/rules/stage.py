"""An administrator's action in a stage of the local Kommo's pipeline, and the deals that are moved there."""

from dataclasses import dataclass
from typing import Any

from sandbox.kommo.records import Trigger
from tests.world import World

KEY = "payment_rule"


@dataclass(frozen=True)
class Stage:
    """A stage whose action holds the key of a rule."""

    world: World
    status_id: int
    key: str

    def move(self, lead_id: int) -> None:
        """A person drags the deal to the stage."""
        account = self.world.account
        self.world.kommo.person(account, account.admin.id).move_lead(lead_id, self.status_id)

    def deal(self, price: int = 300, *, tagged: bool = True, contact: bool = True, name: str = "Sofa") -> int:
        """A deal that nothing stands in the way of, unless it is said."""
        account = self.world.account
        contacts = [account.add_contact("Ann", email="ann@example.com")] if contact else []
        lead_id = account.add_lead(name, price, contacts=contacts).id
        if tagged:
            self.world.kommo.person(account, account.admin.id).tag_lead(lead_id, "stripe-test")
        return lead_id


def stages_of(world: World) -> list[int]:
    """The open stages of the first pipeline, in their order."""
    pipeline = next(iter(world.account.pipelines.values()))
    return [status.id for status in pipeline.statuses if status.id not in (142, 143)][1:]


async def new_key(world: World, **settings: Any) -> str:
    """The key that the action's form was given."""
    answer = await world.rep.post("/widget/rules", {"settings": settings})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


async def add_action(world: World, place: int = 1, stretched: tuple[int, ...] = (), **settings: Any) -> Stage:
    """The action in the open stage at ``place``, as an administrator saved it."""
    key, statuses = await new_key(world, **settings), stages_of(world)
    pipeline = next(iter(world.account.pipelines.values()))
    url = f"{world.url}/kommo/hooks/rules"
    further = tuple(statuses[one] for one in stretched)
    world.account.triggers.append(Trigger(pipeline.id, statuses[place], url, {KEY: key}, further))
    return Stage(world, statuses[place], key)
