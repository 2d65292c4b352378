"""The world's strings under /_sandbox."""

from pathlib import Path
from typing import Any

import pytest

import sandbox.kommo as kommo_package
from sandbox.kommo.switches import SWITCHES, Switches, UnknownReading, UnknownSwitch
from tests.sandbox.kommo.conftest import Kommo


async def act(kommo: Kommo, path: str, **body: Any) -> Any:
    answer = await kommo.http.post(f"/_sandbox{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_world_is_furnished_over_http(kommo: Kommo) -> None:
    account = await act(kommo, "/accounts", subdomain="second", currency="EUR")
    keys = await act(kommo, "/integrations", account_id=account["id"], redirect_uri="https://x.example/cb")
    code = await act(kommo, "/codes", client_id=keys["client_id"])
    lead = await act(kommo, "/leads", account_id=account["id"], name="Deal", price=5, contact={"name": "Eve"})
    own = {name: keys[name] for name in ("client_id", "client_secret", "redirect_uri")}
    assert (await kommo.grant(grant_type="authorization_code", **own, **code)).status_code == 200
    assert lead["account_id"] == account["id"]
    assert (await kommo.http.get(f"/_sandbox/leads/{lead['id']}")).json()["name"] == "Deal"


async def test_people_move_and_edit_deals(kommo: Kommo) -> None:
    stage = kommo.account.main_pipeline.statuses[2]
    shown = await act(kommo, "/people/move_lead", lead_id=kommo.lead.id, status_id=stage.id)
    assert (shown["status"], shown["moves"][0]["via"]) == ("Offer sent", "person")


async def test_an_unknown_action_is_told_what_there_is(kommo: Kommo) -> None:
    answer = await kommo.http.post("/_sandbox/people/fly", json={})
    assert (answer.status_code, "move_lead" in answer.json()["error"]) == (400, True)


async def test_requests_are_remembered_with_their_answers(kommo: Kommo) -> None:
    await kommo.http.patch(f"/api/v4/leads/{kommo.lead.id}?a=b", json={"name": "New"})
    asked = (await kommo.http.get("/_sandbox/requests")).json()[0]
    assert (asked["method"], asked["query"], asked["body"], asked["status"]) == ("PATCH", "a=b", {"name": "New"}, 200)
    assert asked["account_id"] == kommo.account.id


async def test_the_clock_can_be_set_forward(kommo: Kommo) -> None:
    await act(kommo, "/clock", seconds=86401)
    assert (await kommo.http.get("/api/v4/account")).status_code == 401


async def test_switches_are_set_and_explained(kommo: Kommo) -> None:
    await kommo.http.put("/_sandbox/switches", json={"missing_lead": "404"})
    listed = {one["name"]: one for one in (await kommo.http.get("/_sandbox/switches")).json()}
    assert (listed["missing_lead"]["reading"], listed["missing_lead"]["default"]) == ("404", "204")
    assert (await kommo.http.put("/_sandbox/switches", json={"missing_lead": "500"})).status_code == 400


def test_every_switch_has_two_readings_and_says_what_it_is_about() -> None:
    assert [one.name for one in SWITCHES.values() if len(one.readings) < 2 or not one.explanation] == []


def test_every_switch_is_read_somewhere() -> None:
    package = Path(kommo_package.__file__).parent
    code = "".join(path.read_text() for path in package.rglob("*.py") if path.parent.name != "doubts")
    assert [name for name in SWITCHES if f'"{name}"' not in code] == []


async def test_a_field_for_programs_is_not_edited_by_hand(kommo: Kommo) -> None:
    kommo.account.add_field("Status", "text", code="STATUS", is_api_only=True)
    kommo.account.add_field("Remark", "text", code="REMARK")
    refused = await kommo.http.post(
        "/_sandbox/people/set_field", json={"lead_id": kommo.lead.id, "field": "STATUS", "value": "Paid"}
    )
    assert refused.status_code == 400
    shown = await act(kommo, "/people/set_field", lead_id=kommo.lead.id, field="REMARK", value="by hand")
    assert shown["fields"] == {"REMARK": "by hand"}


def test_a_misspelt_switch_or_reading_is_not_silently_false() -> None:
    switches = Switches()
    with pytest.raises(UnknownSwitch):
        switches.reads("mising_lead", "204")
    with pytest.raises(UnknownReading):
        switches.reads("missing_lead", "205")


async def test_users_and_pipelines_are_added(kommo: Kommo) -> None:
    user = await act(kommo, "/users", name="Eve", email="eve@acme.example")
    pipeline = await act(kommo, "/pipelines", name="Partners", stages=["New", "Paid"])
    assert kommo.account.users[user["id"]].leads.view == "M"
    assert [status["name"] for status in pipeline["statuses"]][:3] == ["Incoming leads", "New", "Paid"]
