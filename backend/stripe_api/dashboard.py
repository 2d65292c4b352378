"""Addresses of Stripe's dashboard, where a person finds an object by its id."""

DASHBOARD = "https://dashboard.stripe.com"


def page_of(kind: str, stripe_id: str, livemode: bool) -> str:
    """``kind`` as the dashboard names it: payments, invoices, subscriptions."""
    return f"{DASHBOARD}/{'' if livemode else 'test/'}{kind}/{stripe_id}"
