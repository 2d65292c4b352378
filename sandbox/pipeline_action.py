"""The sandbox's pipeline has a stage that asks for the payment: set up as an administrator would, in Kommo's form."""

import httpx

from sandbox.kommo import KommoWorld
from sandbox.kommo.accounts.grants import Integration
from sandbox.kommo.records import Trigger

SETTINGS = {"amount": "open", "channels": ["chat", "task"]}
"""What is open of the price, sent in the deal's open chat, else as a task."""


async def add_action(kommo: KommoWorld, integration: Integration, backend_url: str) -> str:
    """Adds the action to the second open stage; returns that stage's name."""
    account = kommo.account_of(integration.client_id)
    token = kommo.one_time_token(integration.client_id, account.admin.id)
    async with httpx.AsyncClient(timeout=30.0) as http:
        body, headers = {"settings": SETTINGS}, {"X-Auth-Token": token}
        made = await http.post(f"{backend_url}/widget/rules", json=body, headers=headers)
    made.raise_for_status()
    pipeline = account.main_pipeline
    stage = [status for status in pipeline.statuses if status.type == 0][1]
    key, address = {"payment_rule": made.json()["key"]}, f"{backend_url}/kommo/hooks/rules"
    account.triggers.append(Trigger(pipeline.id, stage.id, address, key, code=integration.widget_code))
    return stage.name
