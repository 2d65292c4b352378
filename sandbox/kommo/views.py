"""What a test or a person reads of a world: plain objects, fields by code, nothing in Kommo's shapes."""

from dataclasses import asdict
from typing import Any

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.accounts.values import shown
from sandbox.kommo.records import Json, Lead
from sandbox.kommo.world import KommoWorld


def lead_view(account: Account, lead: Lead) -> Json:
    """``fields`` maps a field's code, or its name where it has none, to the value shown; lists only for several."""
    status = account.status(lead.pipeline_id, lead.status_id)
    return {
        "id": lead.id,
        "account_id": account.id,
        "name": lead.name,
        "price": lead.price,
        "pipeline_id": lead.pipeline_id,
        "status_id": lead.status_id,
        "status": status.name if status else None,
        "responsible_user_id": lead.responsible_user_id,
        "updated_at": lead.updated_at,
        "updated_by": lead.updated_by,
        "is_deleted": lead.is_deleted,
        "merged_into": lead.merged_into,
        "contacts": list(lead.contacts),
        "tags": [tag.name for tag in lead.tags],
        "fields": fields_of(account, lead),
    }


def lead_in_full(account: Account, lead: Lead) -> Json:
    return lead_view(account, lead) | {
        "notes": [asdict(note) for note in account.notes_of(lead.id)],
        "tasks": [asdict(task) for task in account.tasks_of(lead.id)],
        "moves": [asdict(move) for move in account.moves if move.lead_id == lead.id],
        "bots_started": sum(start.lead_id == lead.id for start in account.bot_starts),
    }


def fields_of(account: Account, lead: Lead) -> Json:
    rows = shown(account, lead.values) or []
    return {row["field_code"] or row["field_name"]: _plain(row["values"]) for row in rows}


def account_view(account: Account) -> Json:
    return {
        "id": account.id,
        "subdomain": account.subdomain,
        "currency": account.currency,
        "timezone": account.timezone,
        "is_paid": account.is_paid,
        "users": [asdict(user) for user in account.users.values()],
        "pipelines": [asdict(pipeline) for pipeline in account.pipelines.values()],
        "fields": [asdict(field) for field in account.custom_fields.values() if field.entity == "leads"],
        "groups": [asdict(group) for group in account.groups.values()],
        "leads": len(account.leads),
        "notes": len(account.notes),
        "tasks": len(account.tasks),
        "moves": len(account.moves),
        "bots_started": account.bots_started,
    }


def world_view(world: KommoWorld) -> Json:
    return {
        "now": world.clock(),
        "base_url": world.base_url,
        "accounts": [account_view(account) for account in world.accounts.values()],
        "integrations": [asdict(integration) for integration in world.integrations.values()],
        "switches": dict(world.switches),
        "requests": len(world.requests),
        "blocked": sorted(world.limits.blocked),
    }


def _plain(values: list[Json]) -> Any:
    texts = [value["value"] for value in values]
    return texts[0] if len(texts) == 1 else texts
