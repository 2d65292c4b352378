"""Addresses in Stripe's dashboard, where a person finds an object by its id."""

DASHBOARD = "https://dashboard.stripe.com"


def page_of(kind: str, stripe_id: str, livemode: bool) -> str:
    """Return the address of an object's page; test objects are under ``test/``.

    ``kind``: the dashboard's path: payments, invoices, subscriptions.
    """
    return f"{DASHBOARD}/{'' if livemode else 'test/'}{kind}/{stripe_id}"
