"""What Stripe's requests and objects look like, in both families of API versions.

"pinned" is 2026-10-28.endive, the version of stripe-python 16.1; "legacy" is 2023-08-16 and stands for everything
before 2025-03-31 (basil), when invoices, charges and PaymentIntents still named each other. Data:
sandbox/stripe/objects/data/README.md.
"""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

Obj = dict[str, Any]
Family = Literal["pinned", "legacy"]

FILES: dict[Family, str] = {"pinned": "pinned.2026-10-28.endive.json.gz", "legacy": "legacy.2023-08-16.json.gz"}
VERSIONS: dict[Family, str] = {"pinned": "2026-10-28.endive", "legacy": "2023-08-16"}
BASIL = "2025-03-31"

EXPANDED_OR_ABSENT = {
    "checkout.session": "line_items presentment_details optional_items",
    "invoice": "payments confirmation_secret deleted amount_paid_off_stripe threshold_reason "
    "subscription_proration_date",
    "charge": "refunds level3 authorization_code source presentment_details radar_options transfer",
    "payment_intent": "payment_record payment_details hooks presentment_details source",
    "refund": "failure_reason failure_balance_transaction instructions_email description next_action "
    "presentment_details pending_reason",
    "dispute": "payment_method_details network_reason_code intended_submission_method",
    "customer": "deleted cash_balance sources subscriptions tax tax_ids invoice_credit_balance",
    "subscription": "status_details presentment_details",
    "webhook_endpoint": "secret deleted",
    "event": "account context",
}
"""Fields that Stripe leaves out rather than sends as null, by object."""


@cache
def document(family: Family) -> Obj:
    packed = Path(__file__).with_name("data") / FILES[family]
    parsed: Obj = json.loads(gzip.decompress(packed.read_bytes()))
    return parsed


def family_of(version: str) -> Family:
    return "legacy" if version[:10] < BASIL else "pinned"


def request_schema(operation: str) -> Obj | None:
    """Schema of ``"POST /v1/refunds"`` and the like; None where the pinned subset does not describe it."""
    schema: Obj | None = document("pinned")["requests"].get(operation)
    return schema


def known_versions() -> frozenset[str]:
    return frozenset(document("pinned")["requests"]["POST /v1/webhook_endpoints"]["properties"]["api_version"]["enum"])


def events() -> dict[str, str]:
    """Event type → kind of its ``data.object``, for the types the product may meet."""
    types: dict[str, str] = document("pinned")["events"]
    return types


@cache
def _nullable_fields(kind: str, family: Family) -> tuple[str, ...]:
    left_out = EXPANDED_OR_ABSENT.get(kind, "").split()
    fields = document(family)["objects"][kind]["properties"].items()
    return tuple(name for name, part in fields if {"type": "null"} in part.get("anyOf", ()) and name not in left_out)


def blank(kind: str, family: Family = "pinned") -> Obj:
    """Every field of ``kind`` that may be null, as null."""
    return dict.fromkeys(_nullable_fields(kind, family))


@cache
def _validator(kind: str, family: Family) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/objects/{kind}", "objects": document(family)["objects"]})


def _inner(node: Any, family: Family) -> Iterator[Obj]:
    """Objects inside an object, which the pinned schema does not look into where they stand in lists."""
    if isinstance(node, dict) and str(node.get("object")) in document(family)["objects"]:
        yield node
    elif isinstance(node, dict | list):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _inner(part, family)


def differences(obj: Obj, family: Family) -> Iterator[str]:
    """In what ``obj`` differs from Stripe's own shape; nothing when it is right. Unknown fields differ too."""
    kind = obj["object"]
    for error in _validator(kind, family).iter_errors(obj):
        yield f"{kind}: {error.json_path} {error.message[:200]}"
    for part in _inner(list(obj.values()), family):
        yield from differences(part, family)
    for name in obj.keys() - document(family)["objects"][kind]["properties"].keys():
        yield f"{kind}: no field {name} in {VERSIONS[family]}"
