"""The account a world starts with: a small company with two pipelines, a few deals and two people."""

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.records import LOST, WON, FieldGroup, Option, Pipeline, Status

_PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
_EMAIL_KINDS = ("WORK", "PRIV", "OTHER")


def furnish(account: Account) -> None:
    """Everything Kommo itself makes in a new account, and one admin."""
    account.add_user("Ada Admin", f"ada@{account.subdomain}.example", is_admin=True)
    account.groups["default"] = FieldGroup("default", "Main", 0, is_predefined=True)
    _add_contact_field(account, "Phone", "PHONE", _PHONE_KINDS)
    _add_contact_field(account, "Email", "EMAIL", _EMAIL_KINDS)
    add_pipeline(account, "Sales", ["New", "Offer sent", "Awaiting payment", "Paid"], is_main=True)


def populate(account: Account) -> None:
    """A second pipeline, a salesperson, contacts and deals."""
    renewals = add_pipeline(account, "Renewals", ["Due", "Contacted", "Renewed"])
    sam = account.add_salesperson("Sam Sales", f"sam@{account.subdomain}.example")
    ana = account.add_contact("Ana López", email="ana@client.example", phone="+14155550101")
    bob = account.add_contact("Bob Miller", email="bob@client.example")
    chen = account.add_contact("Chen Wei")
    account.add_lead("Website for Ana", 1200, contacts=[ana], responsible_user_id=sam.id)
    account.add_lead("Training for Bob", 350, contacts=[bob, ana], status_id=account.main_pipeline.statuses[2].id)
    account.add_lead("Consulting for Chen", 0, contacts=[chen])
    account.add_lead("Request from the site", 90, contacts=[bob], status_id=account.main_pipeline.statuses[0].id)
    account.add_lead("Support contract", 600, contacts=[ana], pipeline_id=renewals.id)


def add_pipeline(account: Account, name: str, stages: list[str], *, is_main: bool = False) -> Pipeline:
    """A pipeline with *Incoming leads* before the named stages and won and lost behind them."""
    ids = account.setting.ids
    open_stages = [Status(ids.next("status"), stage, 20 + 10 * place) for place, stage in enumerate(stages)]
    incoming = Status(ids.next("status"), "Incoming leads", 10, type=1, color="#c1c1c1")
    closed = [
        Status(WON, "Closed - won", 10000, color="#ccff66"),
        Status(LOST, "Closed - lost", 11000, color="#d5d8db"),
    ]
    pipeline_id = ids.next("pipeline")
    pipeline = Pipeline(pipeline_id, name, len(account.pipelines) + 1, [incoming, *open_stages, *closed], is_main)
    account.pipelines[pipeline_id] = pipeline
    return pipeline


def _add_contact_field(account: Account, name: str, code: str, kinds: tuple[str, ...]) -> None:
    made = account.add_field(name, "multitext", entity="contacts", code=code, is_predefined=True)
    made.enums = [
        Option(account.setting.ids.next("option"), kind, place, code=kind) for place, kind in enumerate(kinds, 1)
    ]
