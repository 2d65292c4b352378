"""Bots, talks and messages: what docs/facts/kommo-automation.md 10 leaves open."""

from sandbox.kommo.doubts.shape import Doubts

CHATS: Doubts = {
    "bot_busy": (
        "15",
        "a bot that is started while another runs for the deal",
        {
            "swallowed": "accepted, and nothing happens",
            "second_ends_first": "the first one ends",
            "refused": "400",
        },
    ),
    "run_body": (
        "15",
        "body of the 202 to a bot's start",
        {"Accepted": "the word as text", "empty": "nothing"},
    ),
    "talks_order": (
        "15",
        "order of the list of talks",
        {"newest_first": "newest first", "oldest_first": "oldest first"},
    ),
    "chat_scopes": (
        "15",
        "whether a private integration's token may read and send chat messages",
        {"absent": "403, Invalid scope", "present": "it may"},
    ),
    "over_quota": (
        "15",
        "detail of the 402 when no message by API is left",
        {
            "402_limit": "Over chat API limit",
            "402_tariff": "Endpoint not available for current account tariff",
        },
    ),
    "delivery": (
        "15",
        "what delivery_status says of a message that was accepted",
        {
            "delivered": "sent, then delivered, then read",
            "error": "error: it did not reach the client",
            "silent": "nothing, ever",
        },
    ),
}
