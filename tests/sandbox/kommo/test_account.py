"""The account, its people and pipelines."""

from tests.sandbox.kommo.conftest import Kommo


async def test_the_account_tells_currency_subdomain_and_time_zone(kommo: Kommo) -> None:
    account = await kommo.read("/api/v4/account?with=datetime_settings")
    assert (account["subdomain"], account["currency"]) == ("acme", "USD")
    assert account["_embedded"]["datetime_settings"]["timezone"] == "America/New_York"
    assert "language" not in account


async def test_users_are_for_admins(kommo: Kommo) -> None:
    sam = next(user for user in kommo.account.users.values() if not user.is_admin)
    users = (await kommo.read("/api/v4/users"))["_embedded"]["users"]
    assert {user["id"]: user["rights"]["leads"]["view"] for user in users}[sam.id] == "M"
    assert (await kommo.http.get("/api/v4/users", headers=kommo.as_user(sam.id))).status_code == 403


async def test_a_dismissed_users_token_is_dead(kommo: Kommo) -> None:
    kommo.world.person().deactivate_user(kommo.account.admin.id)
    assert (await kommo.http.get("/api/v4/account")).status_code == 401


async def test_pipelines_come_all_at_once_with_incoming_first_and_142_143_last(kommo: Kommo) -> None:
    pipelines = (await kommo.read("/api/v4/leads/pipelines?limit=1&page=2"))["_embedded"]["pipelines"]
    statuses = pipelines[0]["_embedded"]["statuses"]
    assert [pipeline["name"] for pipeline in pipelines] == ["Sales", "Renewals"]
    assert (statuses[0]["type"], [status["id"] for status in statuses[-2:]]) == (1, [142, 143])


async def test_a_contact_shows_its_first_address(kommo: Kommo) -> None:
    contact_id = next(iter(kommo.lead.contacts))
    contact = await kommo.read(f"/api/v4/contacts/{contact_id}")
    email = next(row for row in contact["custom_fields_values"] if row["field_code"] == "EMAIL")
    assert email["values"][0]["value"] == "ana@client.example"
    assert email["values"][0]["enum_code"] == "WORK"


async def test_an_unknown_route_is_404_and_a_wrong_method_405(kommo: Kommo) -> None:
    unknown = await kommo.http.get("/api/v4/leads/nothing")
    assert (unknown.status_code, unknown.json()["title"]) == (404, "Not Found")
    assert (await kommo.http.delete("/api/v4/account")).status_code == 405


async def test_every_answer_carries_a_request_id(kommo: Kommo) -> None:
    ids = [(await kommo.http.get(path)).headers["x-request-id"] for path in ("/api/v4/account", "/api/v4/nothing")]
    assert len(set(ids)) == 2


async def test_a_host_that_names_another_account_refuses_the_token(kommo: Kommo) -> None:
    kommo.world.add_account("other")
    answer = await kommo.http.get("/api/v4/account", headers={"Host": "other.kommo.test"})
    assert answer.status_code == 401
    assert (await kommo.http.get("/api/v4/account", headers={"Host": "acme.kommo.test"})).status_code == 200


async def test_an_unpaid_account_reads_but_does_not_write(kommo: Kommo) -> None:
    kommo.account.is_paid = False
    assert (await kommo.http.get("/api/v4/leads")).status_code == 200
    assert (await kommo.http.patch("/api/v4/leads", json=[{"id": kommo.lead.id}])).status_code == 402


async def test_won_is_known_by_its_id_wherever_it_is_sorted(kommo: Kommo) -> None:
    kommo.play(closed_sort="first")
    statuses = (await kommo.read(f"/api/v4/leads/pipelines/{kommo.account.main_pipeline.id}/statuses"))["_embedded"]
    assert min(statuses["statuses"], key=lambda status: status["sort"])["id"] == 142


async def test_invoices_are_in_some_accounts(kommo: Kommo) -> None:
    assert (await kommo.http.get("/api/v4/catalogs")).status_code == 204
    kommo.play(invoice_list="present")
    invoices = (await kommo.read("/api/v4/catalogs"))["_embedded"]["catalogs"][0]
    elements = f"/api/v4/catalogs/{invoices['id']}/elements"
    fields = await kommo.read(f"/api/v4/catalogs/{invoices['id']}/custom_fields")
    assert "BILL_STATUS" in [field["code"] for field in fields["_embedded"]["custom_fields"]]
    await kommo.http.post(elements, json=[{"name": "Invoice 1"}])
    assert [one["name"] for one in (await kommo.read(elements))["_embedded"]["elements"]] == ["Invoice 1"]
