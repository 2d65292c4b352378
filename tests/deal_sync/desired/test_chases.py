"""What the card says of payments that came late, and of those that are chased."""

from datetime import date
from typing import Any

import pytest

from backend.deal_sync.desired.render import render
from backend.deal_sync.desired.texts import texts
from backend.ledger.deal import Request
from backend.ledger.parts import Chase
from tests.ledger.build import DAY, NOW, deal, payment, request, session

DUE = date(2027, 1, 10)


def _late(**given: Any) -> Request:
    return request(due_on=DUE, overdue_at=NOW - DAY, **given)


def test_money_that_came_after_its_due_date_or_after_the_links_end_says_so() -> None:
    def note(*parts: object) -> str:
        return render(deal(*parts), texts("en"), link_base="", test=False).notes[0].text  # type: ignore[arg-type]

    assert "It was due on January 10, 2027." in note(_late(), payment())
    assert "It was due" not in note(_late(), payment(paid_at=NOW - 2 * DAY))
    assert "It was due" not in note(_late(), payment(renewal=True))
    ended = _late(expires_at=NOW - 3600, last_day=date(2027, 1, 12))
    assert "It came after the link had ended (January 12, 2027)." in note(ended, payment())


@pytest.mark.parametrize("language", ["en", "es", "pt", "tr", "id", "ru"])
def test_a_task_names_what_is_owed_and_is_closed_by_the_money_with_amount_and_day(language: str) -> None:
    steps = (("overdue", "", 0), ("3", "replied", 0), ("escalated", "", 9))
    asked = _late(chases=tuple(Chase(*step, NOW) for step in steps))
    unpaid = render(deal(asked), texts(language), link_base="", test=True).tasks
    assert [(task.user_id, task.healed) for task in unpaid] == [(0, False), (0, False), (9, False)]
    assert all("100.00 EUR" in task.text and "Sofa" in task.text and task.text[:5] == "TEST " for task in unpaid)
    assert len({task.text for task in unpaid}) == 3
    ledger = deal(asked, payment(paid_at=NOW))
    paid = render(ledger, texts(language), link_base="", test=True, timezone="Asia/Tokyo").tasks
    assert all(task.healed and "100.00 EUR" in task.result and "15" in task.result for task in paid)


def test_a_task_stays_while_the_money_is_owed_and_goes_when_nobody_asks_for_it() -> None:
    chases = (Chase("overdue", "", 0, NOW),)

    def healed(**given: Any) -> bool:
        return render(deal(_late(chases=chases, **given)), texts("en"), link_base="", test=False).tasks[0].healed

    assert [healed(ended=True), healed(sessions=(session("complete"),)), healed(cancelled=True)] == [False, False, True]
    assert healed(replaced_by="r2")


def test_deals_are_tagged_only_where_the_admin_wants_it() -> None:
    def tags(*parts: object, on: bool = True) -> dict[str, bool]:
        return dict(render(deal(*parts), texts("en"), link_base="", test=False, tags=on).tags)  # type: ignore[arg-type]

    assert tags(_late(), on=False) == {}
    assert tags(payment(request_id=None)) == {}
    assert tags(request()) == {"Unpaid": True, "Overdue": False}
    assert tags(_late()) == {"Unpaid": True, "Overdue": True}
    assert tags(_late(), payment()) == {"Unpaid": False, "Overdue": False}
