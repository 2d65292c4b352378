"""Accounts, integrations, codes and tokens: what a Kommo admin finds in the settings."""

from dataclasses import asdict
from typing import Any

from sandbox.kommo.accounts.seed import add_pipeline
from sandbox.kommo.control.calls import Action, Control
from sandbox.kommo.records import Json
from sandbox.kommo.views import account_view


def add_account(control: Control) -> Json:
    """``{"subdomain", "currency"?, "timezone"?}``"""
    return account_view(control.world.add_account(**control.body))


def set_account(control: Control) -> Json:
    """``{"account_id"?, "is_paid"?, "lead_cap"?, "subdomain"?}``"""
    account = control.account
    account.is_paid = control.body.get("is_paid", account.is_paid)
    account.lead_cap = control.body.get("lead_cap", account.lead_cap)
    if "subdomain" in control.body:
        control.world.rename_subdomain(account, control.body["subdomain"])
    return account_view(account)


def add_user(control: Control) -> Any:
    """``{"name", "email", "is_admin"?, "lang"?, "account_id"?}``; who is no admin sees own deals only."""
    facts = {key: value for key, value in control.body.items() if key != "account_id"}
    add = control.account.add_user if facts.get("is_admin") else control.account.add_salesperson
    return add(**facts)


def add_stages(control: Control) -> Any:
    """``{"name", "stages": [names], "account_id"?}``: a pipeline."""
    return add_pipeline(control.account, control.body["name"], control.body["stages"])


def add_integration(control: Control) -> Json:
    """``{"redirect_uri", "disable_uri"?, "account_id"?}``"""
    body = control.body
    made = control.world.add_integration(control.account, body["redirect_uri"], disable_uri=body.get("disable_uri"))
    return asdict(made)


def issue_code(control: Control) -> Json:
    """``{"client_id", "user_id"?}``: the code that the integration's window shows."""
    return {"code": control.world.issue_code(control.body["client_id"], control.body.get("user_id"))}


def issue_one_time_token(control: Control) -> Json:
    """``{"client_id", "user_id"?}``"""
    world, client_id = control.world, control.body["client_id"]
    user_id = control.body.get("user_id") or world.account_of(client_id).admin.id
    return {"token": world.one_time_token(client_id, user_id)}


def issue_long_lived_token(control: Control) -> Json:
    """``{"client_id", "days"?}``"""
    return {"token": control.world.long_lived_token(control.body["client_id"], control.body.get("days", 365))}


def renew_secret(control: Control) -> Json:
    """``{"client_id"}``: a new secret key, the old access is gone."""
    return {"client_secret": control.world.renew_secret(control.body["client_id"])}


def revoke(control: Control) -> None:
    """``{"client_id"}``: all its tokens die without a word."""
    control.world.wallet.revoke(control.body["client_id"])


ACTIONS: dict[str, Action] = {
    "POST /accounts": add_account,
    "PATCH /accounts": set_account,
    "POST /users": add_user,
    "POST /pipelines": add_stages,
    "POST /integrations": add_integration,
    "POST /codes": issue_code,
    "POST /one_time_tokens": issue_one_time_token,
    "POST /long_lived_tokens": issue_long_lived_token,
    "POST /secrets": renew_secret,
    "POST /revoke": revoke,
}
