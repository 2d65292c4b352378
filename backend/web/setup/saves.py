"""The saves of the app's forms: they call the functions that the admin API calls.

Each returns a warning to show, or ''. Raises ``FieldInvalid`` for a wrong value.
"""

from collections.abc import Mapping
from typing import Any, cast

from backend.accounts.branding.logo import remove_logo
from backend.accounts.install.add_integration import replace_secret
from backend.accounts.preferences import put_options, put_stages, renew_hook
from backend.accounts.stripe.connect import put_stripe
from backend.accounts.stripe.remove import remove_stripe
from backend.admin.attach import attach
from backend.admin.events import work_in_again
from backend.admin.history.signed_in import end_session
from backend.admin.stage_moves import agree
from backend.automation.sendings.settings import put_sending
from backend.core.errors import FieldInvalid
from backend.core.sentences.said import said, together
from backend.resources import Resources
from backend.storage.models import Account

BUSINESS = ("business_name", "contact_phone", "contact_whatsapp", "contact_email")
Typed = Mapping[str, str]


async def save_stages(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save stage rules and return a warning about stages in the wrong order, or ''.

    Selects are named ``{pipeline id}:first`` and ``{pipeline id}:paid``; an empty one moves no deal.
    """
    rules: dict[str, dict[str, int | None]] = {}
    for name, value in typed.items():
        pipeline, _, when = name.partition(":")
        rules.setdefault(pipeline, {})[when] = _number(value, pipeline) if value else None
    await put_stages(resources, account_id, rules, who=who)
    return await _backwards(resources, account_id, rules)


async def _backwards(resources: Resources, account_id: int, rules: Mapping[str, Mapping[str, int | None]]) -> str:
    """Return a warning if a pipeline's stage for *paid* precedes the one for the first money: deals only move
    forward.
    """
    async with resources.database.read() as session:
        account = await session.get_one(Account, account_id)
    backwards = []
    for pipeline in account.pipelines:
        places = {status["id"]: number for number, status in enumerate(pipeline["statuses"])}
        rule = rules.get(str(pipeline["id"]), {})
        first, paid = rule.get("first"), rule.get("paid")
        if first and paid and places.get(paid, 0) < places.get(first, 0):
            backwards.append(str(pipeline["name"]))
    return said("stages_backwards", pipelines=", ".join(backwards)) if backwards else ""


async def save_rights(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save who may create payments, refund, and see all payments; return ''. Raises ``FieldInvalid`` for no users."""
    finance = [] if typed.get("finance", "nobody") == "nobody" else _who(typed, "finance")
    given = {"create": _who(typed, "create"), "refunds": _who(typed, "refunds"), "finance": finance}
    await put_options(resources, account_id, given, who=who)
    return ""


async def save_business(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save the business's name and contacts for its clients, as far as the form has them, and return ''."""
    given = {name: typed[name].strip() for name in BUSINESS if name in typed}
    await put_options(resources, account_id, given, who=who)
    return ""


async def save_mode(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save the mode of new links, if it was changed in the form, and shadow mode; return ''."""
    given: dict[str, Any] = {"shadow": typed.get("shadow") == "on"}
    if typed.get("mode") != typed.get("mode_shown"):  # a mode that nobody chose goes on following the keys
        given["mode"] = typed.get("mode", "")
    await put_options(resources, account_id, given, who=who)
    return ""


async def save_due(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save the default due date and validity (``due_days``, ``valid_days``), where 0 or '' means none; return ''."""
    given = {name: _number(typed.get(name, "").strip() or "0", name) for name in ("due_days", "valid_days")}
    await put_options(resources, account_id, given, who=who)
    return ""


async def save_sending(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save channels, hours (whole, local), weekdays (1: Monday) and limits of sending links, and return ''."""
    given: dict[str, Any] = {
        "send_automatically": typed.get("send_automatically") == "on",
        "send_channels": [one for one in typed.get("send_channels", "").split(",") if one],
        "send_bot": _number(typed.get("send_bot", "") or "0", "send_bot"),
        "send_hours": [_number(typed.get(name, ""), "send_hours") for name in ("send_from", "send_to")],
        "send_weekdays": [_number(one, "send_weekdays") for one in typed.get("send_weekdays", "").split(", ") if one],
        "send_time_zone": typed.get("send_time_zone", "").strip(),
        "send_once_a_day": typed.get("send_once_a_day") == "on",
    }
    await put_sending(resources, account_id, given, who=who)
    return ""


async def save_bots(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save whether a bot may wait for a payment, and return ''. Switched off, waiting bots get their answer at once."""
    await put_options(resources, account_id, {"bot_waits": typed.get("bot_waits") == "on"}, who=who)
    return ""


async def save_deals(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Save options of notes, renewals, statement and e-mail, and return ''."""
    given: dict[str, Any] = {
        "note_language": typed.get("note_language", ""),
        "renewals": typed.get("renewals", "same_deal"),
        "prefill_email": typed.get("prefill_email") == "on",
        "statement": typed.get("statement") == "on",
    }
    if typed.get("bare_reference"):  # said only where it is meant: it sets every connection's policy
        given["bare_reference"] = typed["bare_reference"]
    await put_options(resources, account_id, given, who=who)
    return ""


def _who(typed: Typed, name: str) -> str | list[int]:
    if typed.get(name) != "some":
        return typed.get(name, "")
    ids = [part for part in typed.get(f"{name}_users", "").replace(",", " ").split() if part]
    if not ids:
        raise FieldInvalid(said("choose_user"), field=name)
    return [_number(one, name) for one in ids]


async def connect_stripe(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Connect a Stripe key; the warning names missing permissions.

    Raises ``OtherStripeAccount`` until the change of account is confirmed.
    """
    secret = typed.get("webhook_secret", "").strip()
    given = {"api_key": typed.get("api_key", "")} | ({"webhook_secret": secret} if secret else {})
    given |= {"confirm_account": typed["confirm_account"]} if "confirm_account" in typed else {}
    answer = await put_stripe(resources, account_id, given, who=who)
    missing = ", ".join(answer["missing_permissions"])
    lacks = said("stripe_key_lacks_more", permissions=missing) if missing else ""
    return together(lacks, answer.get("warning", ""))


async def disconnect_stripe(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Remove a draining Stripe connection; the warning says what is left at Stripe.

    Raises ``Conflict`` while it is in use.
    """
    answer = await remove_stripe(resources, account_id, typed.get("connection_id", ""), who=who)
    return cast(str, answer.get("warning", ""))


async def attach_payment(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Attach the payment ``payment_id`` to the typed deal (``lead_id``) and return ''. Raises as ``attach`` does."""
    lead_id = _number(typed.get("lead_id", ""), "lead_id")
    await attach(resources, typed.get("payment_id", ""), {"account_id": account_id, "lead_id": lead_id}, who=who)
    return ""


async def work_events_in(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Replay an event, or all given up if its id is ''; return ''. Raises ``Conflict`` if there is none."""
    await work_in_again(resources, account_id, typed.get("event_id", ""), who=who)
    return ""


async def end_one_session(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """End a user's session and return ''. Raises ``Conflict`` if it is over."""
    await end_session(resources, account_id, typed.get("session", ""), who=who)
    return ""


async def take_logo_away(resources: Resources, account_id: int, _typed: Typed, who: str) -> str:
    """Remove the account's logo, whose URL then stops working, and return ''."""
    await remove_logo(resources, account_id, who=who)
    return ""


async def save_secret(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Store a new secret key of the account's own integration; return why a waiting installation failed, or ''.

    Raises ``NotAllowed`` for an integration that other accounts share.
    """
    added = await replace_secret(resources, account_id, typed.get("client_secret", ""), who=who)
    return added.problem


async def make_hook(resources: Resources, account_id: int, _typed: Typed, who: str) -> str:
    """Replace the secret address of Kommo's hook if it can't be shown any more, and return ''."""
    await renew_hook(resources, account_id, who=who)
    return ""


async def move_deal(resources: Resources, account_id: int, typed: Typed, who: str) -> str:
    """Carry out the offered stage move of the deal ``lead_id`` and return ''. Raises ``Conflict`` if none waits."""
    await agree(resources, account_id, _number(typed.get("lead_id", ""), "lead_id"), who=who)
    return ""


def _number(text: str, field: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise FieldInvalid(said("not_kommos_number", value=repr(text[:40])), field=field)
    return int(text)
