"""Whether a Stripe key belongs to an account that is connected already: then it can read objects we created there."""

from collections.abc import Iterable

from sqlmodel import col, select

from backend.accounts.stripe.connections import is_live_key, key_of
from backend.core.errors import StripeUnreachable
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import CheckoutSession, StripeConnection
from backend.stripe_api.client import Refused, StripeApi, Unreachable

MOST_ALIVE_FIRST = ("active", "draining", "removed")
UNREACHABLE = said("stripe_silent")


def api_with(resources: Resources, key: str) -> StripeApi:
    """A Stripe client with a key that is not stored yet."""
    return StripeApi(key, api_base=resources.addresses.stripe_api_base, http=resources.stripe_http.opened())


async def rotated_connection(resources: Resources, connections: Iterable[StripeConnection], key: str) -> str | None:
    """The id of the connection that this key rotates, or None: only the same Stripe account can read our objects.

    A removed connection is reused as well: its payments are stored under it and would be booked twice under another
    one. Raises ``StripeUnreachable``.
    """
    of_its_mode = [one for one in connections if one.livemode == is_live_key(key)]
    for connection in sorted(of_its_mode, key=lambda one: MOST_ALIVE_FIRST.index(one.state)):
        if key_of(resources, connection) == key or await _can_read_ours(resources, connection, key):
            return connection.id
    return None


async def _can_read_ours(resources: Resources, connection: StripeConnection, key: str) -> bool:
    """True if the key can read our endpoint, or else the last session that we created there."""
    api = api_with(resources, key)
    ours = [(api.endpoint, connection.endpoint_id), (api.session, await _last_session(resources, connection.id))]
    for read, stripe_id in ours:
        try:
            if stripe_id and await read(stripe_id):
                return True
        except Refused:
            continue
        except Unreachable as error:
            raise StripeUnreachable(UNREACHABLE) from error
    return False


async def _last_session(resources: Resources, connection_id: str) -> str | None:
    async with resources.database.read() as session:
        found = await session.exec(
            select(CheckoutSession.id)
            .where(CheckoutSession.connection_id == connection_id)
            .order_by(col(CheckoutSession.made_at).desc())
            .limit(1)
        )
        return found.first()
