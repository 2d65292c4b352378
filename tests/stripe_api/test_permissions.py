"""What a restricted key lacks is named whole, and asked for by names that Stripe has."""

from pathlib import Path

import pytest

from backend.stripe_api.client import PROBES, Refused
from backend.web.setup.context import PERMISSIONS

FACTS = Path(__file__).parents[2] / "docs/facts/stripe.md"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("Having the 'rak_charge_read' permission would allow this request.", ["rak_charge_read"]),
        ("Having 'rak_plan_write', 'rak_product_write' would help.", ["rak_plan_write", "rak_product_write"]),
        ("rak_invoice_read (rak_credit_note_read); rak_invoice_read", ["rak_invoice_read", "rak_credit_note_read"]),
        ("The key may not do this.", []),
    ],
)  # fmt: skip
def test_a_refusal_names_every_permission_that_stripe_names(said: str, named: list[str]) -> None:
    assert Refused(said, status=403).permissions == named
    assert Refused(said, status=400).permissions == []


def test_every_write_is_also_tried_on_something_that_does_not_exist() -> None:
    """An empty body may be refused before Stripe looks at the key's permissions."""
    empty = {path for method, path in PROBES if method == "post" and "none_of_ours" not in path}
    tried = {path.partition("/none_of_ours")[0] for method, path in PROBES if "none_of_ours" in path}
    assert empty == tried != set()


def test_the_prefilled_form_names_only_permissions_that_are_known() -> None:
    text = FACTS.read_text(encoding="utf-8")
    assert [
        slug for slug in PERMISSIONS if slug not in text and f"{slug.rpartition('_')[0]}_read/_write" not in text
    ] == []
    assert "rak_refund_read" not in PERMISSIONS
