"""What the audit log names, in the words of a page; the log itself keeps its English names."""

from collections.abc import Mapping

from backend.web.frame.frame import Frame

DEEDS: Mapping[str, str] = {
    "stages": "a_stages",
    "options": "a_options",
    "reminders": "a_reminders",
    "hook address": "a_hook",
    "logo": "a_logo",
    "deal fields": "a_fields",
    "connected": "a_connected",
    "uninstall hook": "a_uninstall",
    "signed in": "a_signed_in",
    "sign-in refused": "a_refused",
    "all signed out": "a_all_out",
    "session ended": "a_session_ended",
    "payment attached": "a_attached",
    "payment detached": "a_detached",
    "move agreed": "a_moved",
    "events again": "a_again",
    "Stripe connected": "a_stripe",
    "Stripe key rotated": "a_stripe_key",
    "Stripe account changed": "a_stripe_account",
    "Stripe connection removed": "a_stripe_removed",
    "integration kept": "a_integration",
    "integration removed": "a_integration_removed",
    "deal merged": "a_merged",
    "merged deal is back": "a_back",
    "webhooks that did not arrive": "a_missed",
    "note posted again": "a_note_again",
    "fields restored": "a_restored",
}
"""Name of a change in the audit log: the app's text for it."""


def deed(frame: Frame, what: str) -> str:
    """Return what was done in the page's language; a name that is not in ``DEEDS`` as the log has it."""
    return frame.say(DEEDS[what]) if what in DEEDS else what
