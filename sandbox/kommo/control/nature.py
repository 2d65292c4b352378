"""Time, switches, faults, limits, and the record of what was asked."""

from dataclasses import asdict
from typing import Any

from sandbox.clock import MovableClock
from sandbox.kommo.control.calls import Action, Control
from sandbox.kommo.records import Json
from sandbox.kommo.switches import SWITCHES
from sandbox.kommo.views import world_view


def state(control: Control) -> Json:
    return world_view(control.world)


def list_switches(control: Control) -> list[Json]:
    return [
        {
            "name": switch.name,
            "section": switch.section,
            "explanation": switch.explanation,
            "readings": dict(switch.readings),
            "default": switch.default,
            "reading": control.world.switches[switch.name],
        }
        for switch in SWITCHES.values()
    ]


def set_switches(control: Control) -> Json:
    """``{name: reading}``"""
    for name, reading in control.body.items():
        control.world.switches.set(name, reading)
    return dict(control.world.switches)


def advance(control: Control) -> Json:
    """``{"seconds": n}``; only a clock that can be moved."""
    clock = control.world.clock
    if not isinstance(clock, MovableClock):
        raise ValueError("this world's clock stands by itself")
    clock.advance(float(control.body["seconds"]))
    return {"now": clock()}


def requests(control: Control) -> list[Json]:
    """All requests, or those from number ``since`` on."""
    return [asdict(asked) for asked in control.world.requests[int(control.query.get("since", 0)) :]]


def forget_requests(control: Control) -> None:
    control.world.requests.clear()


def sent(control: Control) -> list[Any]:
    """The hooks that went out."""
    return list(control.world.sent)


def add_fault(control: Control) -> list[Any]:
    """``{"kind", "path"?, "method"?, "times"?, "skip"?, "every"?, "seconds"?}``"""
    control.world.faults.add(**control.body)
    return list(control.world.faults.waiting)


def list_faults(control: Control) -> list[Any]:
    return list(control.world.faults.waiting)


def clear_faults(control: Control) -> None:
    control.world.faults.clear()


def set_limits(control: Control) -> Json:
    """``{"rate"?, "block_after"?, "latency"?: seconds, "lift"?: true}``"""
    limits = control.world.limits
    control.world.latency = float(control.body.get("latency", control.world.latency))
    limits.rate = int(control.body.get("rate", limits.rate))
    limits.block_after = int(control.body.get("block_after", limits.block_after))
    if control.body.get("lift"):
        limits.lift()
    return {"rate": limits.rate, "block_after": limits.block_after, "blocked": sorted(limits.blocked)}


ACTIONS: dict[str, Action] = {
    "GET /state": state,
    "GET /switches": list_switches,
    "PUT /switches": set_switches,
    "POST /clock": advance,
    "GET /requests": requests,
    "DELETE /requests": forget_requests,
    "GET /sent": sent,
    "GET /faults": list_faults,
    "POST /faults": add_fault,
    "DELETE /faults": clear_faults,
    "PUT /limits": set_limits,
}
