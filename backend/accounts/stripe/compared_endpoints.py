"""Compares webhook endpoints as Stripe has them with what this release and its PUBLIC_URL need."""

import structlog
from sqlmodel import col, select

from backend.accounts.stripe.connections import webhook_url
from backend.accounts.stripe.webhook_endpoints import EVENTS, ensure_endpoint
from backend.resources import Resources
from backend.storage.models import StripeConnection
from backend.stripe_api.client import PINNED_VERSION, Unreachable

log = structlog.get_logger()


async def compare_endpoints(resources: Resources) -> None:
    """Repair the endpoints whose URL, version or events at Stripe differ from ours; without a difference no call is
    made.

    It does not wait for Kommo: an account that is disconnected there still receives its payments.
    """
    for connection in await _outdated(resources):
        try:
            await ensure_endpoint(resources, connection)
        except Unreachable as error:
            log.warning("endpoint comparison failed", connection=connection.id, reason=str(error))


async def _outdated(resources: Resources) -> list[StripeConnection]:
    made = select(StripeConnection).where(col(StripeConnection.endpoint_id) != "", col(StripeConnection.api_key) != "")
    async with resources.database.read() as session:
        found = await session.exec(made.where(col(StripeConnection.state) != "removed"))
        return [one for one in found.all() if not _is_as_needed(resources, one)]


def _is_as_needed(resources: Resources, connection: StripeConnection) -> bool:
    registered = (connection.endpoint_url, connection.endpoint_version, sorted(connection.endpoint_events))
    return registered == (webhook_url(resources, connection.id), PINNED_VERSION, EVENTS)
