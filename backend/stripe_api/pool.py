"""The connections to Stripe that all keys of a process share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Stripe's library takes long to import, and many commands never call Stripe
    import stripe


class Pool:
    """The HTTP connections of a process to Stripe, opened by the first call: that imports Stripe's library and the CA
    bundle.
    """

    def __init__(self) -> None:
        self._opened: stripe.HTTPXClient | None = None

    def opened(self) -> "stripe.HTTPXClient":
        """Return Stripe's HTTP client, opened on the first call."""
        if self._opened is None:
            from backend.stripe_api.client import http_client

            self._opened = http_client()
        return self._opened

    async def close(self) -> None:
        """Close the connections, if any were opened."""
        if self._opened is not None:
            await self._opened.close_async()  # type: ignore[no-untyped-call]
