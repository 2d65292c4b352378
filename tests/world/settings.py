"""The settings with which the product meets the two local worlds."""

from typing import Any

from backend.core.config import Settings
from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.grants import Integration
from sandbox.stripe import StripeWorld

PUBLIC_URL = "https://pay.example.com"
ADMIN_TOKEN = "admin-token-of-the-tests"
ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
SECRET_KEY = "a sealing key of the tests"
FAST = 1000.0
"""Calls a second. No admin may set such a rate; waiting for slots is tested where it is the matter."""


def settings(database_url: str, **more: Any) -> Settings:
    """The least that the product needs, with ``more``; calls to Kommo are slowed down only where ``more`` says so."""
    known: dict[str, Any] = {
        "public_url": PUBLIC_URL,
        "database_url": database_url,
        "secret_keys": SECRET_KEY,
        "admin_token": ADMIN_TOKEN,
        "kommo_ip_rate": FAST,
    }
    made = Settings(_env_file=None, **(known | more))
    return made if {"kommo_rate", "kommo_ip_rate"} & more.keys() else made.model_copy(update={"kommo_rate": FAST})


def addresses(kommo: KommoWorld, stripe: StripeWorld, public_url: str) -> dict[str, Any]:
    """Where the product and the two worlds are; of a Kommo without one address, its accounts tell."""
    known = {"public_url": public_url, "stripe_api_base": stripe.base_url}
    if not kommo.base_url:
        return known
    return known | {"kommo_base_url": kommo.base_url, "kommo_oauth_url": f"{kommo.base_url}/oauth"}


def environment(kommo: KommoWorld, stripe: StripeWorld, integration: Integration, public_url: str) -> dict[str, Any]:
    """What an operator may set for the first account: the integration's keys, a live Stripe key, a stage rule."""
    pipeline = kommo.account.main_pipeline
    paid = next(status.id for status in pipeline.statuses if status.name == "Paid")
    return addresses(kommo, stripe, public_url) | {
        "kommo_client_id": integration.client_id,
        "kommo_client_secret": integration.client_secret,
        "stripe_api_key": stripe.default_account.live_secret_key,
        "paid_stages": f"{pipeline.id}:{paid}",
    }
