"""Whatever of Kommo's documents turns out to be so: fields, a write, a note, and all of it read back."""

import pytest

from backend.kommo_api.auth.oauth import refresh
from backend.kommo_api.auth.tokens import parse_pair
from backend.kommo_api.deal_fields import DEAL_FIELDS
from backend.kommo_api.fields import ensure_fields
from backend.kommo_api.values import EnumId
from sandbox.clock import MovableClock
from sandbox.kommo.doubts.deals import FIELDS, LEADS, NOTES
from sandbox.kommo.doubts.entry import OAUTH
from sandbox.kommo.doubts.shape import Doubts
from sandbox.kommo.doubts.traffic import API
from tests.kommo_api.conftest import Kommo, change, note


def readings(*tables: Doubts) -> list[tuple[str, str]]:
    return [(name, reading) for table in tables for name, (_, _, known) in table.items() for reading in known]


@pytest.mark.parametrize(("switch", "reading"), readings(API, LEADS, FIELDS, NOTES))
async def test_a_payment_is_written_under_every_reading(kommo: Kommo, switch: str, reading: str) -> None:
    kommo.play(**{switch: reading})
    fields = (await ensure_fields(kommo.api, {})).fields
    status, amount = fields["STRIPE_PAYMENT_STATUS"], fields["STRIPE_AMOUNT_PAID"]
    paid = {status["id"]: EnumId(status["enums"]["paid"]), amount["id"]: "120.5"}
    place = (kommo.lead.pipeline_id, 142)
    assert await kommo.api.patch_leads([change(kommo.lead.id, paid, place)]) == {kommo.lead.id}
    assert set(await kommo.api.post_notes([note(kommo.lead.id, "pi_1")])) == {f"r{kommo.lead.id}"}
    lead = await kommo.api.lead(kommo.lead.id)
    assert lead is not None
    assert (lead.pipeline_id, lead.status_id) == place
    assert [lead.fields[one["id"]][0].value for one in (status, amount)] == ["Paid", "120.5"]
    assert isinstance(kommo.world.clock, MovableClock)
    kommo.world.clock.advance(60)  # so long a list may take to show it
    assert [one.text for one in await kommo.api.notes_of([lead.id])] == ["pi_1"]
    assert len(fields) == len(DEAL_FIELDS)


@pytest.mark.parametrize(("switch", "reading"), readings(OAUTH))
async def test_a_pair_is_refreshed_under_every_reading(kommo: Kommo, switch: str, reading: str) -> None:
    kommo.play(**{switch: reading})
    known = kommo.integration
    token = kommo.world.issue_pair(known.client_id, kommo.account.admin.id).refresh or ""
    for _ in range(2):
        raw = await refresh(
            kommo.http,
            kommo.base_url,
            client_id=known.client_id,
            client_secret=known.client_secret,
            redirect_uri=known.redirect_uri,
            refresh_token=token,
        )
        token = parse_pair(raw, kommo.world.clock()).refresh_token
    assert kommo.world.wallet.by_refresh[token].account_id == kommo.account.id
