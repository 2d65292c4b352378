"""What the designer keeps of our steps, as the widget writes it (widget/step/saved.js)."""

import json

EXITS = {
    "payment_link": ("ready", "nothing_to_pay", "failed"),
    "is_it_paid": ("paid", "under_way", "open", "overdue"),
}
OTHERWISE = {"payment_link": "failed", "is_it_paid": "open"}


def saved(step: str, url: str, **params: str) -> str:
    """The same JSON; a test in the browser compares."""
    sent = {"url": f"{url}/kommo/steps/{step}", "data": params | {"lead": "{{lead.id}}"}}
    ask = {"handler": "widget_request", "params": sent}
    look = {"handler": "goto", "params": {"type": "question", "step": 1}}
    leave = [
        {
            "handler": "conditions",
            "params": {
                "logic": "and",
                "conditions": [{"term1": "{{json.exit}}", "term2": name, "operation": "="}],
                "result": [{"handler": "exits", "params": {"value": name}}],
            },
        }
        for name in EXITS[step]
    ]
    last = {"handler": "exits", "params": {"value": OTHERWISE[step]}}
    return json.dumps([{"question": [ask, look]}, {"question": [*leave, last]}], separators=(",", ":"))
