"""The address at which a representative sees what the client sees, without counting as the client's opening."""

from contextlib import suppress

from backend.core.signing import BadState
from backend.payments.checkout.params import link_address
from backend.resources import Resources
from backend.storage.models import PaymentRequest

MARK = "preview"
"""The name of the mark in the address."""


def preview_address(resources: Resources, request: PaymentRequest) -> str:
    """The link with a mark that is good for two minutes and for this link only.

    It leaves the server only in the answer to a press of *Open*, so that nobody copies it for the client.
    """
    mark = resources.previews.sign({"link": request.link_token})
    return f"{link_address(resources.addresses.public_url, request.link_token)}?{MARK}={mark}"


def is_preview(resources: Resources, token: str, mark: str) -> bool:
    """Whether ``mark`` is ours, of this link, and young; every other opening counts as the client's."""
    with suppress(BadState):
        return bool(mark) and resources.previews.read(mark).get("link") == token
    return False
