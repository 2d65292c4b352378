"""Choices of a rule's form, read from Kommo."""

from backend.accounts.tokens.call import with_kommo
from backend.core.errors import KommoUnreachable
from backend.kommo_api.errors import KommoError
from backend.kommo_api.values import CustomField
from backend.resources import Resources

NUMBERS = ("numeric", "monetary", "price")


async def number_fields(resources: Resources, account_id: int) -> list[CustomField]:
    """Return the deal's number fields except our own, which only the API writes. Raises ``KommoUnreachable``."""
    try:
        fields = await with_kommo(resources, account_id, lambda api: api.custom_fields())
    except KommoError as error:
        raise KommoUnreachable("Kommo does not return the deal's fields now. Try again in a moment.") from error
    return [one for one in fields if one.type in NUMBERS and not one.is_api_only]
