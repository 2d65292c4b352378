"""Texts for the client, and for the user who is to send the link by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.accounts.options import options_of
from backend.core.i18n import Texts, texts_in
from backend.core.money import Money, displayed
from backend.payments.checkout.params import link_address
from backend.payments.find import Link

FOLDER = Path(__file__).parent / "i18n"
LONGEST_DESCRIPTION = 120


def words(language: str) -> Texts:
    """Return the texts in a language."""
    return texts_in(FOLDER, language)


def message_of(public_url: str, link: Link, origin: str) -> str:
    """Return the chat message for the client in the account's language; a reminder has a separate text."""
    return _texts(link).say("reminder" if origin == "reminder" else "message", **_facts(public_url, link))


def task_of(public_url: str, link: Link, refusals: Sequence[dict[str, Any]]) -> str:
    """Return the text of the task *send this link*, with the obstacles of the account's channels.

    ``refusals``: ``{"channel", "why"}`` each. A missing bot is left out.
    """
    texts = _texts(link)
    lines = [texts.say("task", **_facts(public_url, link))]
    lines += [say_reason(texts, one["channel"], one["why"]) for one in refusals if one["why"] != "no_bot"]
    return " ".join(lines)


def say_reason(texts: Texts, channel: str, why: str) -> str:
    """Return why a channel could not be used, as a sentence."""
    known = f"why_{channel}_{why}"
    return texts.say(known if known in texts.sentences else f"why_{channel}")


def _texts(link: Link) -> Texts:
    return words(options_of(link.account).note_language)


def _facts(public_url: str, link: Link) -> dict[str, str]:
    request = link.request
    language = options_of(link.account).note_language
    return {
        "merchant": link.merchant.name,
        "amount": displayed([Money(request.amount, request.currency)], language),
        "description": request.description[:LONGEST_DESCRIPTION],
        "link": link_address(public_url, request.link_token),
    }
