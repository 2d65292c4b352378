"""What Kommo sends by itself, on demand: install and disable hooks, a bot's request, hooks that are due."""

from typing import Any

from sandbox.kommo.control.calls import Action, Control
from sandbox.kommo.hooks import hooks
from sandbox.kommo.records import Json, Trigger


async def install(control: Control) -> Any:
    """``{"client_id", "user_id"?}``; what was sent, or nothing where no install hook comes."""
    return await hooks.install(control.world, control.body["client_id"], control.body.get("user_id"))


async def disable(control: Control) -> list[Any]:
    """``{"client_id", "forge"?: bool}``"""
    forge = bool(control.body.get("forge"))
    return list(await hooks.disable(control.world, control.body["client_id"], forge=forge))


async def ask_widget(control: Control) -> Any:
    """``{"client_id", "lead_id", "url", "data"}``"""
    body = control.body
    return await hooks.ask_widget(control.world, body["client_id"], body["lead_id"], body["url"], body.get("data", {}))


async def deliver(control: Control) -> Json:
    return {"sent": await hooks.deliver(control.world)}


def add_trigger(control: Control) -> list[Any]:
    """``{"pipeline_id", "status_id", "url", "settings"?, "stretched"?}``: a widget's action in the pipeline."""
    body = control.body
    stretched = tuple(body.get("stretched", ()))
    trigger = Trigger(body["pipeline_id"], body["status_id"], body["url"], body.get("settings", {}), stretched)
    control.account.triggers.append(trigger)
    return list(control.account.triggers)


ACTIONS: dict[str, Action] = {
    "POST /install": install,
    "POST /disable": disable,
    "POST /salesbot": ask_widget,
    "POST /deliver": deliver,
    "POST /triggers": add_trigger,
}
