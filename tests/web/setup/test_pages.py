"""The set-up pages over real HTTP: who gets in, what is shown, and what each form does."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from backend.storage.models import Account, Audit, ReminderSettings, StageEntry, StripeConnection
from sandbox.clock import MovableClock
from tests.world import ADMIN_TOKEN, World, open_world

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def product(tmp_path: Path, anyio_backend: str, clock: MovableClock) -> AsyncIterator[World]:
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/setup.db", clock=clock) as found:
        yield found


async def way_in(product: World, user_id: int | None = None) -> httpx.Response:
    return await product.http.post(f"{product.url}/widget/setup", headers=product.token(user_id))


@pytest.fixture
async def visitor(product: World) -> AsyncIterator[httpx.AsyncClient]:
    """An admin's browser, let in from Kommo."""
    async with httpx.AsyncClient(base_url=product.url, timeout=30.0, follow_redirects=True, headers=OURS) as http:
        entered = await http.post((await way_in(product)).json()["url"])
        assert "Sign out" in entered.text
        yield http


@pytest.fixture
async def operator(product: World) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=product.url, timeout=30.0, follow_redirects=True, headers=OURS) as http:
        await http.post("/admin/login", data={"token": ADMIN_TOKEN})
        yield http


def form_of(product: World, name: str) -> str:
    return f"/admin/accounts/{product.account.id}/{name}"


async def stages_of(product: World) -> dict[str, Any]:
    rows = (await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)).json()
    found: dict[str, Any] = rows[0]
    return found


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("setup.db*"))


async def test_an_admin_gets_a_link_that_enters_once(product: World) -> None:
    made = await way_in(product)
    assert made.status_code == 201
    url = made.json()["url"]
    assert url.startswith(f"{product.url}/admin/enter/")
    asked = await product.http.get(url)
    assert (asked.status_code, product.account.subdomain in asked.text) == (200, True)
    assert "set-cookie" not in asked.headers
    first, second = [await product.http.post(url, headers=OURS) for _ in range(2)]
    assert (first.status_code, first.headers["location"]) == (303, "/admin")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Max-Age=28800" in cookie
    assert second.status_code == 401
    assert "used or is older than a minute" in second.text


async def test_an_admin_whose_kommo_is_not_connected_any_more_is_told_who_can_connect_it(product: World) -> None:
    """To try again in a moment would never help; and the button *Connect again* stands behind this door."""
    product.kommo.wallet.revoke(product.integration.client_id)
    for _ in range(2):
        refused = await way_in(product)
        said = refused.json()["error"]
        assert (refused.status_code, said["code"]) == (409, "not_connected")
        assert "Install the integration again" in said["message"]
        assert f"{product.url}/admin" in said["message"]


async def test_a_link_is_over_after_a_minute(product: World, clock: MovableClock) -> None:
    url = (await way_in(product)).json()["url"]
    clock.advance(61)
    assert (await product.http.get(url)).status_code == 401
    assert (await product.http.post(url, headers=OURS)).status_code == 401


async def test_programs_that_only_look_do_not_use_a_link_up(product: World) -> None:
    url = (await way_in(product)).json()["url"]
    assert (await product.http.head(url)).status_code == 200
    assert (await product.http.get(url, headers={"User-Agent": "TelegramBot (like TwitterBot)"})).status_code == 200
    assert (await product.http.post(url, headers=OURS)).status_code == 303


async def test_the_secret_is_not_in_the_database(product: World, tmp_path: Path) -> None:
    secret = (await way_in(product)).json()["url"].rpartition("/")[2]
    stored = on_disk(tmp_path)
    assert stored
    assert secret.encode() not in stored


async def test_a_rep_who_is_no_admin_reads_why_not(product: World) -> None:
    rep = next(user for user in product.account.users.values() if not user.is_admin)
    refused = await way_in(product, rep.id)
    assert refused.status_code == 403
    assert "Only an administrator" in refused.json()["error"]["message"]


async def test_without_a_token_there_is_no_link(product: World) -> None:
    assert (await product.http.post(f"{product.url}/widget/setup")).status_code == 401


async def test_a_stranger_is_asked_to_sign_in(product: World) -> None:
    page = await product.http.get(f"{product.url}/admin", headers={"Cookie": "kommo_stripe_setup=made.up.cookie"})
    assert "Admin token" in page.text
    assert str(product.account.id) not in page.text
    assert "script" not in page.headers["content-security-policy"]


async def test_a_session_ends_after_eight_hours(
    product: World, visitor: httpx.AsyncClient, clock: MovableClock
) -> None:
    for _ in range(8 * 3 - 1):
        clock.advance(1200)
        assert "Sign out" in (await visitor.get("/admin")).text
    clock.advance(1205)
    assert "Admin token" in (await visitor.get("/admin")).text


async def test_a_session_that_nobody_uses_ends_after_half_an_hour(
    product: World, visitor: httpx.AsyncClient, clock: MovableClock
) -> None:
    clock.advance(1801)
    assert "Admin token" in (await visitor.get("/admin")).text


async def test_the_operator_signs_in_with_the_admin_token(product: World) -> None:
    login = f"{product.url}/admin/login"
    wrong = await product.http.post(login, data={"token": "something else"}, headers=OURS)
    assert (wrong.status_code, "not the ADMIN_TOKEN" in wrong.text) == (401, True)
    right = await product.http.post(login, data={"token": ADMIN_TOKEN}, headers=OURS)
    assert right.status_code == 303


async def guess(product: World, door: str) -> int:
    if door == "login":
        answer = await product.http.post(f"{product.url}/admin/login", data={"token": "a guess"}, headers=OURS)
    else:
        headers = {"Authorization": "Bearer a-guess-of-some-length"}
        answer = await product.http.get(f"{product.url}/admin/api/accounts", headers=headers)
    return answer.status_code


@pytest.mark.parametrize("door", ["login", "bearer"])
async def test_guesses_are_limited_and_the_right_token_always_passes(product: World, door: str) -> None:
    assert [await guess(product, door) for _ in range(32)] == [401] * 30 + [429] * 2
    other = "bearer" if door == "login" else "login"
    assert await guess(product, other) == 429  # one count for all doors
    signed_in = await product.http.post(f"{product.url}/admin/login", data={"token": ADMIN_TOKEN}, headers=OURS)
    called = await product.http.get(f"{product.url}/admin/api/accounts", headers=product.admin)
    assert (signed_in.status_code, called.status_code) == (303, 200)


async def test_sign_ins_and_failures_are_in_the_audit_with_their_address(product: World) -> None:
    await guess(product, "login")
    await guess(product, "bearer")  # the second one of this minute: a log line, no row
    await product.http.post((await way_in(product)).json()["url"], headers=OURS)
    await product.http.post(f"{product.url}/admin/login", data={"token": ADMIN_TOKEN}, headers=OURS)
    async with product.resources.database.read() as session:
        rows = (
            await session.exec(select(Audit).where(col(Audit.what).startswith("sign")).order_by(col(Audit.id)))
        ).all()
    assert [(row.what, row.who, row.account_id) for row in rows] == [
        ("sign-in refused", "unknown", None),
        ("signed in", f"Kommo user {product.account.admin.id}", product.account.id),
        ("signed in", "admin token", None),
    ]
    assert [row.after["address"] for row in rows] == ["127.0.0.1"] * 3


async def test_another_site_can_not_enter_with_its_own_link(product: World) -> None:
    """Else an operator's session could be swapped for a tenant's, and the operator would go on in it."""
    url = (await way_in(product)).json()["url"]
    answer = await product.http.post(url, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_a_visitor_sees_no_other_account(product: World, visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/admin?account=77")).status_code == 403
    assert (await visitor.post("/admin/accounts/77/stages", data={})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
     {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
async def test_another_sites_form_changes_nothing(
    product: World, visitor: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    before = await stages_of(product)
    answer = await visitor.post(form_of(product, "mode"), data={"mode": "test"}, headers=headers)
    assert answer.status_code == 403
    assert await stages_of(product) == before


async def test_the_page_says_how_kommo_and_stripe_stand(product: World, visitor: httpx.AsyncClient) -> None:
    page = "".join([(await visitor.get(f"/admin/setup/{topic}")).text for topic in ("kommo", "stripe")])
    account = await stages_of(product)
    assert "Deal fields made: 9." in page
    assert account["stripe"][0]["webhook_url"] in page
    assert f"The widget works: user {product.account.admin.name}" in page
    assert "permissions%5B%5D=rak_checkout_session_write" in page
    key = next(text for text in product.stripe.default_account.keys if "_live_" in text)
    assert key not in page


async def test_stages_are_saved_as_by_the_api(product: World, visitor: httpx.AsyncClient) -> None:
    pipeline = product.account.main_pipeline
    won = "142"
    chosen = {f"{pipeline.id}:first": "", f"{pipeline.id}:paid": won}
    saved = await visitor.post(form_of(product, "stages"), data=chosen)
    assert "The stages are saved." in saved.text
    assert (await stages_of(product))["stages"][str(pipeline.id)] == {"first": None, "paid": 142}


async def test_a_stage_that_is_not_there_is_refused_beside_its_pipeline(
    product: World, visitor: httpx.AsyncClient
) -> None:
    pipeline = product.account.main_pipeline
    refused = await visitor.post(form_of(product, "stages"), data={f"{pipeline.id}:paid": "999"})
    assert refused.status_code == 422
    assert f'id="error-stages-{pipeline.id}"' in refused.text


async def test_an_option_that_is_saved_chooses_no_mode(product: World, visitor: httpx.AsyncClient) -> None:
    """Or whoever began with a test key would stay in test mode when the live key comes."""
    shown = re.search(r'name="mode_shown" value="(\w+)"', (await visitor.get("/admin/setup/mode")).text)
    assert shown is not None
    typed = {"shadow": "on", "mode": "live", "mode_shown": shown[1]}
    assert (await visitor.post(form_of(product, "mode"), data=typed)).status_code == 200
    (account,) = await product.rows(Account)
    assert (account.mode, account.options["shadow"]) == ("", True)
    await visitor.post(form_of(product, "mode"), data=typed | {"mode": "test"})
    (account,) = await product.rows(Account)
    assert account.mode == "test"


async def test_the_business_is_named_and_reached_as_the_admin_types_it(
    product: World, visitor: httpx.AsyncClient
) -> None:
    typed = {"business_name": " Bluebird "}
    product.account.name = "Bluebird Ltd"
    assert '<option value="Bluebird Ltd">' in (await visitor.get("/admin/setup/business")).text
    refused = await visitor.post(form_of(product, "business"), data=typed | {"contact_whatsapp": "555 0100"})
    assert (refused.status_code, 'aria-describedby="error-business-contact_whatsapp"' in refused.text) == (422, True)
    assert (await visitor.post(form_of(product, "business"), data=typed)).status_code == 200
    (account,) = await product.rows(Account)
    assert account.options["business_name"] == "Bluebird"


async def test_each_topic_saves_its_own_options_and_leaves_those_of_the_others(
    product: World, visitor: httpx.AsyncClient
) -> None:
    rights = {"create": "some", "create_users": f"{product.account.admin.id}, 5", "refunds": "admins"}
    saved = await visitor.post(form_of(product, "rights"), data=rights)
    assert "The permissions are saved." in saved.text
    deals = {"note_language": "es", "prefill_email": "on", "renewals": "new_deal"}
    assert "The options are saved." in (await visitor.post(form_of(product, "deals"), data=deals)).text
    await visitor.post(form_of(product, "business"), data={"business_name": "Bluebird"})
    await visitor.post(form_of(product, "mode"), data={"shadow": "on", "mode": "live"})
    options = (await stages_of(product))["options"]
    assert (options["create"], options["refunds"]) == ([product.account.admin.id, 5], "admins")
    assert (options["note_language"], options["prefill_email"], options["renewals"]) == ("es", True, "new_deal")
    assert (options["business_name"], options["shadow"], options["statement"]) == ("Bluebird", True, False)


def boxes(page: str, name: str) -> dict[str, bool]:
    """What is offered to be ticked under this name, as it is read, and whether it is."""
    found = re.findall(rf'name="{name}_users" value="\d+"( checked)?>(.*?)</label>', page)
    return {html.unescape(re.sub(r"<.*?>", "", text)): bool(ticked) for ticked, text in found}


async def test_users_are_chosen_by_their_names(product: World, visitor: httpx.AsyncClient) -> None:
    ada, sam = product.account.users.values()
    vera = product.account.add_user("<b>Vera</b> & Co", "vera@acme.example", is_active=False)
    page = (await visitor.get("/admin/setup/rights")).text
    offered = ["Ada Admin", "Sam Sales", "<b>Vera</b> & Co (inactive in Kommo)"]
    assert boxes(page, "create") == boxes(page, "refunds") == dict.fromkeys(offered, False)
    typed = {"create": "some", "create_users": [str(sam.id), str(vera.id)], "refunds": "some",
             "refunds_users": str(ada.id)}  # fmt: skip
    page = (await visitor.post(form_of(product, "rights"), data=typed)).text
    assert list(boxes(page, "create").values()) == [False, True, True]
    assert list(boxes(page, "refunds").values()) == [True, False, False]
    assert "create Sam Sales, &lt;b&gt;Vera" in (await visitor.get("/admin/events")).text
    options = (await stages_of(product))["options"]
    assert (options["create"], options["refunds"]) == ([sam.id, vera.id], [ada.id])


async def test_users_of_many_pages_are_all_offered(product: World, visitor: httpx.AsyncClient) -> None:
    for number in range(260):
        product.account.add_user(f"Rep {number}", f"rep{number}@acme.example")
    assert len(boxes((await visitor.get("/admin/setup/rights")).text, "create")) == 262


async def test_two_users_of_one_name_are_told_apart(product: World, visitor: httpx.AsyncClient) -> None:
    product.account.add_user("Sam Sales", "sam2@acme.example")
    offered = boxes((await visitor.get("/admin/setup/rights")).text, "create")
    assert [name for name in offered if name.startswith("Sam")] == [
        f"Sam Sales, sam@{product.account.subdomain}.example", "Sam Sales, sam2@acme.example"]  # fmt: skip


async def test_a_chosen_user_who_is_gone_stays_chosen_and_that_is_said(
    product: World, visitor: httpx.AsyncClient
) -> None:
    sam = next(user for user in product.account.users.values() if not user.is_admin)
    typed = {"create": "some", "create_users": str(sam.id), "refunds": "nobody"}
    await visitor.post(form_of(product, "rights"), data=typed)
    del product.account.users[sam.id]
    offered = boxes((await visitor.get("/admin/setup/rights")).text, "create")
    assert offered == {"Ada Admin": False, f"{sam.id} (not among Kommo's users any more)": True}


async def test_an_empty_choice_of_users_is_refused_beside_the_list(product: World, visitor: httpx.AsyncClient) -> None:
    typed = {"create": "all", "refunds": "some"}
    refused = await visitor.post(form_of(product, "rights"), data=typed)
    assert refused.status_code == 422
    assert "Choose at least one user." in refused.text.partition('id="error-rights-refunds"')[2].partition("</p>")[0]


@pytest.mark.parametrize("fault", ["429_html", "500_json", "503_html", "drop_before"])
async def test_while_kommo_tells_no_names_users_are_their_ids(
    product: World, operator: httpx.AsyncClient, fault: str
) -> None:
    """The operator can save all the same; an admin's right to could not be confirmed."""
    typed = {"create": "some", "create_users": "4, 5", "refunds": "nobody"}
    await operator.post(form_of(product, "rights"), data=typed)
    product.kommo.faults.add(fault, "/api/v4/users$", times=0)
    page = await operator.get("/admin/setup/rights")
    assert page.status_code == 200
    assert 'name="create_users" value="4, 5"' in page.text
    assert "Kommo does not return the names of users right now." in page.text
    saved = await operator.post(form_of(product, "rights"), data=typed | {"create_users": "5,6"})
    assert "The permissions are saved." in saved.text
    assert (await stages_of(product))["options"]["create"] == [5, 6]


@pytest.mark.full
async def test_a_kommo_that_does_not_answer_holds_the_page_up_for_a_moment_only(
    product: World, visitor: httpx.AsyncClient
) -> None:
    product.kommo.faults.add("delay", "/api/v4/users$", times=0, seconds=15.0)
    started = perf_counter()
    assert "Kommo does not return the names of users right now." in (await visitor.get("/admin/setup/rights")).text
    assert perf_counter() - started < 12


async def test_names_need_the_token_of_an_administrator(product: World, operator: httpx.AsyncClient) -> None:
    product.account.admin.is_admin = False
    assert "Let an administrator press Connect again" in (await operator.get("/admin/setup/rights")).text


async def test_whether_somebody_is_an_admin_needs_an_admins_token(product: World, visitor: httpx.AsyncClient) -> None:
    product.account.admin.is_admin = False
    refused = await visitor.post(form_of(product, "hook"))
    assert (refused.status_code, "no administrator any more" in refused.text) == (409, True)


async def test_an_admin_who_allows_refunds_reads_what_the_key_needs(visitor: httpx.AsyncClient) -> None:
    assert "can only read refunds" in (await visitor.get("/admin/setup/rights")).text


async def test_a_wrong_option_is_told_at_its_field_and_what_was_typed_stays(
    product: World, visitor: httpx.AsyncClient
) -> None:
    product.kommo.faults.add("503_html", "/api/v4/users$", times=0)
    typed = {"create": "some", "create_users": "anna", "refunds": "admins"}
    refused = await visitor.post(form_of(product, "rights"), data=typed)
    assert refused.status_code == 422
    assert 'id="error-rights-create"' in refused.text
    assert 'value="anna"' in refused.text
    assert re.search(r'value="admins" selected', refused.text)


async def test_a_restricted_key_connects_stripe(product: World, visitor: httpx.AsyncClient) -> None:
    key = product.stripe.default_account.restricted_key
    saved = await visitor.post(form_of(product, "stripe"), data={"api_key": key})
    assert "Stripe is connected." in saved.text
    assert key not in saved.text
    assert {one["livemode"] for one in (await stages_of(product))["stripe"]} == {True, False}


async def test_a_key_that_lacks_a_needed_permission_is_refused_by_its_name(
    product: World, visitor: httpx.AsyncClient
) -> None:
    key = product.stripe.default_account.add_restricted_key(["rak_payment_intent_read"])
    refused = await visitor.post(form_of(product, "stripe"), data={"api_key": key})
    assert refused.status_code == 422
    assert "rak_checkout_session_write" in refused.text.partition('id="error-stripe-api_key"')[2].partition("</p>")[0]
    assert key not in refused.text


async def test_a_deal_is_looked_up_with_its_request_and_its_reason(product: World, visitor: httpx.AsyncClient) -> None:
    lead_id = product.lead()
    link = await product.link(lead_id)
    page = (await visitor.get(f"/admin/deal?deal={lead_id}")).text
    assert "The client has not opened the link yet" in page
    assert "120.00\xa0USD" in page
    assert link in page
    product.account.admin.lang = "es"
    await visitor.post(form_of(product, "hook"))
    spoken = (await visitor.get(f"/admin/deal?deal={lead_id}")).text
    assert '<p lang="es">El cliente todavía no ha abierto el enlace.' in spoken


async def test_a_paid_deal_shows_its_payment_and_its_note(product: World, visitor: httpx.AsyncClient) -> None:
    lead_id = await product.paid_deal()
    page = (await visitor.get(f"/admin/deal?deal={lead_id}")).text
    assert f"Deal {lead_id}: Paid" in page
    assert re.search(r"Note in Kommo \(\w+.*\): done", page)


async def test_a_payment_without_a_deal_is_attached_to_one(product: World, visitor: httpx.AsyncClient) -> None:
    lead_id, other = product.lead("Gone"), product.lead("Other")
    link = await product.link(lead_id)
    product.account.leads[lead_id].is_deleted = True
    await product.pay(link)
    await product.quiet()
    page = (await visitor.get("/admin/unmatched")).text
    payment = re.search(r'name="payment_id" value="(pi_\w+)"', page)
    assert payment, page
    wrong = await visitor.post(form_of(product, "attach"), data={"payment_id": payment[1], "lead_id": "a deal"})
    assert 'id="error-attach-lead_id"' in wrong.text
    done = await visitor.post(form_of(product, "attach"), data={"payment_id": payment[1], "lead_id": str(other)})
    assert "The payment is attached" in done.text
    await product.until(lambda: product.fields(other).get("STRIPE_PAYMENT_STATUS") == "Paid")


async def test_connect_again_leads_to_kommos_consent(product: World, visitor: httpx.AsyncClient) -> None:
    started = await visitor.get("/oauth/kommo/start", follow_redirects=False)
    assert started.status_code == 302
    assert f"client_id={product.integration.client_id}" in started.headers["location"]


async def test_an_operator_who_signed_out_is_signed_out(product: World, visitor: httpx.AsyncClient) -> None:
    assert "Admin token" in (await visitor.post("/admin/logout")).text


async def test_a_key_of_another_stripe_account_is_asked_about_and_the_change_told_to_everybody(
    product: World, visitor: httpx.AsyncClient
) -> None:
    shop, other = product.stripe.default_account, product.stripe.add_account("Other")
    typed = {"api_key": other.live_secret_key}
    asked = await visitor.post(form_of(product, "stripe"), data=typed)
    question = asked.text.partition('id="error-stripe-api_key"')[2].partition("</form>")[0]
    assert (asked.status_code, shop.id in question, other.id in question) == (409, True, True)
    assert "Yes, change to this other Stripe account" in question
    assert typed["api_key"] not in asked.text
    assert [one["state"] for one in (await stages_of(product))["stripe"]] == ["active"]
    (hidden,) = re.findall(r'name="confirm_account" value="([^"]+)"', question)
    saved = await visitor.post(form_of(product, "stripe"), data=typed | {"confirm_account": hidden})
    assert "Stripe is connected." in saved.text
    page = (await visitor.get(f"/admin/setup/stripe?account={product.account.id}")).text
    notice = page.partition("The Stripe account was changed")[2].partition("</p>")[0]
    assert (shop.id in notice, other.id in notice, "confirm_account" in page) == (True, True, False)


async def test_a_connection_that_drains_is_removed_by_its_button(product: World, visitor: httpx.AsyncClient) -> None:
    first = (await stages_of(product))["stripe"][0]["id"]
    other = product.stripe.add_account("Other")
    confirmed = {"api_key": other.live_secret_key, "confirm_account": other.id}
    before = (await visitor.post(form_of(product, "stripe"), data=confirmed)).text
    assert (before.count("Remove this connection"), "of what is still under way there" in before) == (1, True)
    refused = await visitor.post(form_of(product, "stripe/remove"), data={"connection_id": first})
    assert (refused.status_code, "STRIPE_API_KEY" in refused.text) == (409, True)
    async with product.resources.database.write() as session:
        row = await session.get_one(StripeConnection, first)
        row.source = "admin"  # as after a start without STRIPE_API_KEY
        session.add(row)
    after = (await visitor.post(form_of(product, "stripe/remove"), data={"connection_id": first})).text
    assert ("The Stripe connection is removed." in after, "Remove this connection" in after) == (True, False)
    assert first not in after.partition("Last changes")[0]


async def test_the_connection_in_use_is_not_removed(product: World, visitor: httpx.AsyncClient) -> None:
    first = (await stages_of(product))["stripe"][0]["id"]
    refused = await visitor.post(form_of(product, "stripe/remove"), data={"connection_id": first})
    assert (refused.status_code, "Connect another Stripe account first" in refused.text) == (409, True)


async def test_how_links_are_sent_is_saved_and_a_wrong_hour_is_told_at_its_field(
    product: World, visitor: httpx.AsyncClient
) -> None:
    typed: dict[str, Any] = {
        "send_automatically": "on", "send_channels": "bot,task", "send_bot": "77", "send_from": "8",
        "send_to": "20", "send_weekdays": ["1", "6"], "send_time_zone": "America/Bogota",
    }  # fmt: skip
    saved = await visitor.post(form_of(product, "sending"), data=typed)
    assert "The options are saved." in saved.text
    options = (await stages_of(product))["options"]
    assert (options["send_channels"], options["send_bot"], options["send_hours"]) == (["bot", "task"], 77, [8, 20])
    assert (options["send_weekdays"], options["send_once_a_day"]) == ([1, 6], False)
    refused = await visitor.post(form_of(product, "sending"), data=typed | {"send_from": "21"})
    assert (refused.status_code, 'id="error-sending-send_hours"' in refused.text) == (422, True)
    assert (await stages_of(product))["options"]["send_hours"] == [8, 20]


async def test_reminders_are_saved_shown_again_and_refused_at_their_field(
    product: World, visitor: httpx.AsyncClient
) -> None:
    typed = {
        "rule_1_days": "2", "rule_1_when": "before", "rule_1_channel": "bot",
        "rule_2_days": "", "rule_2_when": "after", "rule_2_channel": "task", "rule_3_channel": "", "hour": "9",
        "overdue_days": "3", "escalate_days": "", "escalate_to": "0", "debt_tags": "on",
    }  # fmt: skip
    assert "The reminders are saved." in (await visitor.post(form_of(product, "reminders"), data=typed)).text
    (kept,) = await product.rows(ReminderSettings)
    channels = [{"days": -2, "channel": "bot"}, {"days": 0, "channel": "task"}]
    assert (kept.chosen["rules"], kept.chosen["hour"], kept.chosen["overdue_days"]) == (channels, 9, 3)
    options = (await stages_of(product))["options"]
    assert options["debt_tags"] is True
    again = (await visitor.get("/admin/automation/reminders")).text
    assert ('value="3"' in again, '<option value="before" selected>' in again) == (True, True)
    stage = next(one.id for one in product.account.main_pipeline.statuses if one.type == 0)
    assert f'name="quiet_{stage}"' in again
    await visitor.post(form_of(product, "reminders"), data=typed | {"quiet_shown": "1", f"quiet_{stage}": "on"})
    (kept,) = await product.rows(ReminderSettings)
    assert kept.chosen["quiet_stages"] == [stage]
    assert f'name="quiet_{stage}" checked' in (await visitor.get("/admin/automation/reminders")).text
    await visitor.post(form_of(product, "reminders"), data=typed)  # Kommo's stages were not known: none was shown
    (kept,) = await product.rows(ReminderSettings)
    assert kept.chosen["quiet_stages"] == [stage]
    for name, value, field in (("rule_2_days", "x", "rules"), ("overdue_days", "99", "overdue_days")):
        refused = await visitor.post(form_of(product, "reminders"), data=typed | {name: value})
        assert (refused.status_code, f'id="error-reminders-{field}"' in refused.text) == (422, True)


async def test_a_test_payment_is_ticked_leg_by_leg(product: World, visitor: httpx.AsyncClient) -> None:
    await visitor.post(form_of(product, "stripe"), data={"api_key": product.stripe.default_account.restricted_key})
    await visitor.post(form_of(product, "mode"), data={"mode": "test"})
    assert (await visitor.get("/admin/setup/test")).text.count("Not yet") == 5
    lead_id = product.lead()
    link = await product.link(lead_id)
    assert (await visitor.get("/admin/setup/test")).text.count("Not yet") == 4
    await product.pay(link)
    await product.until(lambda: product.notes(lead_id))
    await product.quiet()
    page = (await visitor.get("/admin/setup/test")).text
    assert ("A test payment went all the way." in page, page.count("Not yet"), page.count("after ")) == (True, 0, 4)


async def test_the_connected_stripe_account_is_named_and_its_key_only_by_its_end(
    product: World, visitor: httpx.AsyncClient
) -> None:
    shop = product.stripe.default_account
    key = shop.live_secret_key
    await visitor.post(form_of(product, "stripe"), data={"api_key": key})
    page = (await visitor.get("/admin/setup/stripe")).text
    assert shop.id in page
    assert f"…{key[-4:]}" in page
    assert key not in page
    assert f"by Kommo user {product.account.admin.id}" in page


async def test_due_dates_of_new_requests_are_a_topic_of_their_own(product: World, visitor: httpx.AsyncClient) -> None:
    assert "The options are saved." in (await visitor.post(form_of(product, "due"), data={"due_days": "14"})).text
    options = (await stages_of(product))["options"]
    assert (options["due_days"], options["valid_days"]) == (14, 0)
    refused = await visitor.post(form_of(product, "due"), data={"due_days": "soon", "valid_days": "7"})
    assert (refused.status_code, 'id="error-due-due_days"' in refused.text) == (422, True)
    assert (await stages_of(product))["options"]["valid_days"] == 0


async def test_whether_bots_wait_is_a_topic_of_its_own(product: World, visitor: httpx.AsyncClient) -> None:
    assert (await stages_of(product))["options"]["bot_waits"] is False
    page = (await visitor.post(form_of(product, "bots"), data={"bot_waits": "on"})).text
    assert ("The options are saved." in page, "No bot has waited for a payment yet." in page) == (True, True)
    assert (await stages_of(product))["options"]["bot_waits"] is True


async def test_a_paid_stage_before_that_of_the_first_money_is_warned_of(
    product: World, visitor: httpx.AsyncClient
) -> None:
    pipeline = product.account.main_pipeline
    early, late = [str(status.id) for status in pipeline.statuses if status.type == 0][:2]
    typed = {f"{pipeline.id}:first": late, f"{pipeline.id}:paid": early}
    page = (await visitor.post(form_of(product, "stages"), data=typed)).text
    assert ("The stages are saved." in page, "will not move when it is paid in full" in page) == (True, True)
    page = (await visitor.post(form_of(product, "stages"), data={f"{pipeline.id}:first": early})).text
    assert "will not move" not in page


async def test_the_automation_tells_what_stages_asked_for_in_the_readers_language(
    product: World, visitor: httpx.AsyncClient
) -> None:
    async with product.resources.database.write() as session:
        for number, outcome in enumerate(("no_contact", "paid", "")):
            session.add(
                StageEntry(account_id=product.account.id, id=f"e{number}", lead_id=7, rule_id="r", root_id="r",
                           received_at=float(number), state="done" if outcome else "new", outcome=outcome)
            )  # fmt: skip
    page = (await visitor.get("/admin/automation")).text
    assert "The deal has no contact." in page
    assert "The client had paid meanwhile" in page
    assert page.count("Needs a person") == 1
