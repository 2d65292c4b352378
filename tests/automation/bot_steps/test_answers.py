"""The exits of *Is it paid?*, from the ledger alone."""

from typing import Any

import pytest

from backend.automation.bot_steps.answers import payment_state
from tests.ledger.build import NOW, deal, payment, request, session


@pytest.mark.parametrize(
    ("exit_name", "given", "paid"),
    [
        ("open", {"overdue_at": NOW + 1}, False),
        ("overdue", {"overdue_at": NOW}, False),
        ("overdue", {"ended": True}, False),
        ("under_way", {"overdue_at": NOW, "sessions": (session("complete"),)}, False),
        ("paid", {"overdue_at": NOW}, True),
        ("open", {"overdue_at": NOW, "cancelled": True}, False),
    ],
)
def test_a_payment_is_overdue_when_its_due_date_or_its_link_is_over(
    exit_name: str, given: dict[str, Any], paid: bool
) -> None:
    ledger = deal(request(**given), *([payment()] if paid else []))
    assert payment_state(ledger, "")["exit"] == exit_name
