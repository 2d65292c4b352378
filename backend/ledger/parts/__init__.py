"""The parts of a deal's ledger: values with the states that follow from each part alone."""

from backend.ledger.parts.payments import Decline, Method, Payment, Renewal
from backend.ledger.parts.requests import Chase, Request, SessionState
from backend.ledger.parts.returns import Dispute, Refund, Worth, worth_of

__all__ = [
    "Chase",
    "Decline",
    "Dispute",
    "Method",
    "Payment",
    "Refund",
    "Renewal",
    "Request",
    "SessionState",
    "Worth",
    "worth_of",
]
