"""What is missing before a deal can be paid, for an operator who just started the server."""

from sqlmodel import col, select

from backend.resources import Resources
from backend.storage.models import Account, Integration, PendingInstall, StripeConnection


async def missing(resources: Resources) -> list[str]:
    """Return a sentence for each missing part that a person must provide, in order of set-up.

    Reads only our own database.
    """
    public = resources.addresses.public_url
    async with resources.database.look() as session:
        known = (await session.exec(select(Integration.client_id).limit(1))).first()
        waits = (await session.exec(select(PendingInstall.id).limit(1))).first()
        accounts = (await session.exec(select(Account).where(Account.state != "uninstalled"))).all()
        keyed = select(StripeConnection.account_id).where(StripeConnection.api_key != "")
        with_key = set((await session.exec(keyed.where(col(StripeConnection.state) != "removed"))).all())
    if not accounts and not known and not waits:
        return [f"a Kommo integration. Its Integration ID and secret key are entered at {public}/admin/accounts."]
    if not accounts:
        return [f"a connected Kommo account. Install the integration in Kommo, or press Connect at {public}/admin."]
    return [
        f"a Stripe key for {account.subdomain or account.id}. Its administrator enters one in the set-up."
        for account in accounts
        if account.id not in with_key
    ][:5]
