"""The stage rules that an admin chooses per pipeline."""

from collections.abc import Iterator, Mapping
from typing import Any

from backend.core.errors import FieldInvalid
from backend.core.sentences.said import said
from backend.kommo_api.values import INCOMING
from backend.storage.models import Account


def check_stages(account: Account, given: Mapping[str, Any]) -> dict[str, Any]:
    """The rules as ``{"<pipeline_id>": {"first": id | null, "paid": id | null}}``.

    ``given`` may have ``status_id | null`` in place of a rule, which means ``paid``. Raises ``FieldInvalid`` for an
    unknown pipeline or stage, and for *Incoming leads*.
    """
    for pipeline_id, stage in _unknown(account, given):
        what = (
            said("pipeline_unknown", pipeline=repr(pipeline_id[:60]))
            if stage is None
            else said("stage_unknown", pipeline=pipeline_id[:60], stage=repr(str(stage)[:60]))
        )
        raise FieldInvalid(what, field=pipeline_id[:60])
    return {pipeline_id: {"first": None, "paid": None} | _whole(rule) for pipeline_id, rule in given.items()}


def names_unknown(account: Account, given: Mapping[str, Any]) -> bool:
    """True if ``given`` (as in ``check_stages``) names a pipeline or stage that the stored pipelines lack.

    It may have been created in Kommo since they were fetched.
    """
    return any(_unknown(account, given))


def _unknown(account: Account, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each unknown (pipeline, stage); (pipeline, None) for an unknown pipeline."""
    known = _targets(account)
    for pipeline_id, rule in given.items():
        if pipeline_id not in known:
            yield pipeline_id, None
            continue
        for name, stage in _whole(rule).items():
            if name not in ("first", "paid"):
                yield pipeline_id, name
            elif stage is not None and not (type(stage) is int and stage in known[pipeline_id]):
                yield pipeline_id, stage


def _whole(rule: Any) -> dict[str, Any]:
    return dict(rule) if isinstance(rule, Mapping) else {"paid": rule}


def _targets(account: Account) -> dict[str, set[int]]:
    """Pipeline id → the stages a deal can be moved to: Kommo moves no deal into *Incoming leads*."""
    return {
        str(pipeline["id"]): {status["id"] for status in pipeline["statuses"] if status.get("type") != INCOMING}
        for pipeline in account.pipelines
    }
