"""The tables. Money is integer minor units next to an upper-case currency; times are seconds since the epoch, UTC.

By content: ``accounts`` (accounts, integrations, Stripe connections), ``automation`` (links sent to clients),
``branding`` (logos), ``installs`` (pending installations), ``payments`` (requests, events, ledger), ``listing`` (all
payments in one list), ``deals`` (writes to Kommo), ``processes`` (our processes), ``rate_limits`` (Kommo's budget),
``reminders`` (reminders of unpaid requests), ``rules`` (requests made by a stage or a bot) and ``rights`` (Kommo's last
answers about users and deals).
"""

from backend.storage.models.accounts import (
    Account,
    AccountWork,
    Audit,
    Integration,
    SetupLink,
    SetupSession,
    StripeConnection,
    WidgetSeen,
)
from backend.storage.models.automation import Sending
from backend.storage.models.branding import AccountLogo
from backend.storage.models.deals import CardWrite, Deal, DealTask, MergedDeal, MergeFeed
from backend.storage.models.installs import PendingInstall, SpentState
from backend.storage.models.listing import PaymentLine
from backend.storage.models.payments import (
    CheckoutSession,
    DealStatement,
    InboxEvent,
    LedgerEntry,
    LedgerLink,
    PaymentRequest,
    RefundRequest,
)
from backend.storage.models.processes import Counted, ProcessClock, WorkerBeat
from backend.storage.models.rate_limits import Rate
from backend.storage.models.reminders import Reminder, ReminderSettings, ReminderStop
from backend.storage.models.rights import LastWord
from backend.storage.models.rules import BotStep, PaymentRule, StageEntry

__all__ = [
    "Account",
    "AccountLogo",
    "AccountWork",
    "Audit",
    "BotStep",
    "CardWrite",
    "CheckoutSession",
    "Counted",
    "Deal",
    "DealStatement",
    "DealTask",
    "InboxEvent",
    "Integration",
    "LastWord",
    "LedgerEntry",
    "LedgerLink",
    "MergeFeed",
    "MergedDeal",
    "PaymentLine",
    "PaymentRequest",
    "PaymentRule",
    "PendingInstall",
    "ProcessClock",
    "Rate",
    "RefundRequest",
    "Reminder",
    "ReminderSettings",
    "ReminderStop",
    "Sending",
    "SetupLink",
    "SetupSession",
    "SpentState",
    "StageEntry",
    "StripeConnection",
    "WidgetSeen",
    "WorkerBeat",
]
