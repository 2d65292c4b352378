"""The stage rules that an admin chooses, pipeline by pipeline."""

from collections.abc import Mapping
from typing import Any

from backend.errors import FieldInvalid
from backend.models import Account


def check_stages(account: Account, given: Mapping[str, Any]) -> dict[str, Any]:
    """``{"<pipeline_id>": status_id | null | {"first": id | null, "paid": id | null}}``, all ids the account's."""
    known = {str(p["id"]): {status["id"] for status in p["statuses"]} for p in account.pipelines}
    rules: dict[str, Any] = {}
    for pipeline_id, rule in given.items():
        if pipeline_id not in known:
            raise FieldInvalid(f"The account has no pipeline {pipeline_id!r}.", field=str(pipeline_id))
        whole = rule if isinstance(rule, Mapping) else {"paid": rule}
        unknown = [name for name in whole if name not in ("first", "paid")]
        wrong = [status for status in whole.values() if status is not None and status not in known[pipeline_id]]
        if unknown or wrong:
            raise FieldInvalid(f"Pipeline {pipeline_id} has no stage {(unknown + wrong)[0]!r}.", field=pipeline_id)
        rules[pipeline_id] = {"first": whole.get("first"), "paid": whole.get("paid")}
    return rules
