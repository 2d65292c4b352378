"""What each of Kommo's refusals means (docs/facts/kommo-api.md 5, 6)."""

from typing import Any

import pytest

from backend.kommo_api import errors
from backend.kommo_api.errors import FieldError, KommoError, KommoRefused
from tests.kommo_api.conftest import change
from tests.kommo_api.fixed_answer import PAGE, api, problem, saying

MEANINGS = [
    (401, problem(401, "Unauthorized"), errors.KommoUnauthorized),
    (401, PAGE, errors.KommoUnauthorized),
    (402, problem(402, "Account is not paid"), errors.KommoUnpaid),
    (402, PAGE, errors.KommoUnpaid),
    (403, problem(403, "Invalid scope"), errors.KommoForbidden),
    (403, PAGE, errors.KommoBlocked),
    (404, problem(404, "Cannot GET https://acme.kommo.com/x!"), errors.KommoNotFound),
    (404, PAGE, errors.KommoUnavailable),
    (400, PAGE, errors.KommoUnavailable),
    (400, problem(400, "Request data can not be empty"), errors.KommoRefused),
    (400, problem(400, "226: the element is deleted"), errors.KommoRefused),
    (400, problem(400, "244: no right for this action"), errors.KommoForbidden),
    (400, problem(400, "System error. Please try again"), errors.KommoUnavailable),
    (405, problem(405, "Method not allowed"), errors.KommoRefused),
    (413, PAGE, errors.KommoRefused),
    (422, problem(422, "Limit 250 per page"), errors.KommoRefused),
    (429, problem(429, "Too many requests"), errors.KommoRateLimited),
    (429, PAGE, errors.KommoRateLimited),
    (500, {"title": "ErrInternalServer", "status": 500, "trace_id": "0a1b"}, errors.KommoUnavailable),
    (502, PAGE, errors.KommoUnavailable),
    (504, PAGE, errors.KommoTooSlow),
    (302, PAGE, errors.KommoUnavailable),
]


@pytest.mark.parametrize(("status", "body", "meaning"), MEANINGS)
async def test_status_and_body_together_say_what_is_meant(status: int, body: Any, meaning: type[KommoError]) -> None:
    with pytest.raises(KommoError) as caught:
        await api(saying(status, body)).patch_leads([change(7)])
    assert type(caught.value) is meaning


@pytest.mark.parametrize(("status", "body", "meaning"), MEANINGS)
async def test_only_trouble_leaves_a_write_in_doubt(status: int, body: Any, meaning: type[KommoError]) -> None:
    with pytest.raises(KommoError) as caught:
        await api(saying(status, body)).patch_leads([change(7)])
    assert caught.value.doubtful is (meaning in (errors.KommoUnavailable, errors.KommoTooSlow))


@pytest.mark.parametrize(
    ("status", "kind"), [(404, errors.KommoUnavailable), (500, errors.KommoUnavailable), (504, errors.KommoTooSlow)]
)
async def test_a_read_leaves_no_doubt(status: int, kind: type[KommoError]) -> None:
    with pytest.raises(kind) as caught:
        await api(saying(status, PAGE)).leads([7])
    assert not caught.value.doubtful


async def refusal(body: dict[str, object]) -> KommoRefused:
    with pytest.raises(KommoRefused) as caught:
        await api(saying(400, body)).patch_leads([change(7), change(8)])
    return caught.value


async def test_validation_errors_are_named_by_request_and_path() -> None:
    wrong = {"code": "NotSupportedChoice", "path": "custom_fields_values.0.field_id", "detail": "Not valid."}
    body = problem(400, "Failed", **{"validation-errors": [{"request_id": "r7", "errors": [wrong]}]})
    refused = await refusal(body)
    assert refused.by_request == {
        "r7": [FieldError("NotSupportedChoice", "custom_fields_values.0.field_id", "Not valid.")]
    }
    assert str(refused) == ("Kommo refused what we sent. (Failed); custom_fields_values.0.field_id: Not valid.")


async def test_errors_keyed_by_lead_are_named_by_lead() -> None:
    refused = await refusal(problem(400, "Invalid request body", errors={"8": "Only for lost leads"}))
    assert (refused.by_lead, refused.by_request) == ({8: "Only for lost leads"}, {})
    assert not refused.names_nothing


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"validation-errors": []},
        {"validation-errors": None, "errors": []},
        {"errors": {"status_id": "is not a lead id"}},
        {"validation-errors": "nonsense"},
    ],
)
async def test_a_refusal_may_name_nothing(more: dict[str, object]) -> None:
    assert (await refusal(problem(400, "Request validation failed", **more))).names_nothing


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (problem(429, "", retry_after=300), {}, 300.0),
        (PAGE, {"Retry-After": "2"}, 2.0),
        (PAGE, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (PAGE, {}, None),
    ],
)
async def test_how_long_to_wait_is_told_where_kommo_tells(
    body: Any, headers: dict[str, str], seconds: float | None
) -> None:
    with pytest.raises(errors.KommoRateLimited) as caught:
        await api(saying(429, body, **headers)).account()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "body",
    ["<html>fine</html>", {}, {"_embedded": {}}, {"_embedded": {"leads": {}}}, {"_embedded": {"leads": [{"id": "x"}]}}],
)
async def test_a_200_that_makes_no_sense_leaves_a_write_in_doubt(body: Any) -> None:
    with pytest.raises(errors.KommoUnavailable) as caught:
        await api(saying(200, body)).patch_leads([change(7)])
    assert caught.value.doubtful


async def test_an_error_carries_kommos_request_id() -> None:
    with pytest.raises(KommoError) as caught:
        await api(saying(500, PAGE, **{"X-Request-Id": "abc"})).account()
    assert caught.value.request_id == "abc"


async def test_no_error_tells_the_token() -> None:
    for status, body, _ in MEANINGS:
        with pytest.raises(KommoError) as caught:
            await api(saying(status, body)).account()
        assert "made-up-token" not in f"{caught.value} {caught.value!r}"
