"""Prefill the contact's e-mail address in Checkout if the admin enabled it; it is optional
because links are forwarded."""

from backend.accounts.options import options_of
from backend.accounts.tokens.call import with_kommo
from backend.core.errors import NotConnected
from backend.kommo_api.errors import KommoError
from backend.payments.checkout.sessions import email_row
from backend.resources import Resources
from backend.storage.models import Account, PaymentRequest


async def sealed_email(resources: Resources, account: Account, request: PaymentRequest) -> str | None:
    """Return the contact's e-mail address, encrypted for the request's row.

    None if the option is off, the contact has no address, or Kommo can't be asked.
    """
    contact_id = request.contact_id
    if contact_id is None or not options_of(account).prefill_email:
        return None
    try:
        contact = await with_kommo(resources, account.id, lambda api: api.contact(contact_id))
    except (KommoError, NotConnected):
        return None
    if contact is None or not contact.email:
        return None
    return resources.vault.seal_text(contact.email, email_row(account.id, request.id))
