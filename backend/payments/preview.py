"""The address at which a rep sees the client's page, without counting as an opening by the client."""

from contextlib import suppress

from backend.core.signing import BadState
from backend.payments.checkout.params import link_address
from backend.resources import Resources
from backend.storage.models import PaymentRequest

MARK = "preview"
"""The name of the query parameter that marks a preview."""


def preview_address(resources: Resources, request: PaymentRequest) -> str:
    """Return the link with a signed mark that is valid for two minutes and for this link only.

    The server sends it only when a rep presses *Open*, so that nobody copies it for the client.
    """
    mark = resources.previews.sign({"link": request.link_token})
    return f"{link_address(resources.addresses.public_url, request.link_token)}?{MARK}={mark}"


def is_preview(resources: Resources, token: str, mark: str) -> bool:
    """True if ``mark`` is our valid and recent signature for this link. Every other opening counts as the client's."""
    with suppress(BadState):
        return bool(mark) and resources.previews.read(mark).get("link") == token
    return False
