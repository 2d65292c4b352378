"""Tags of a lead in a write: the full list, or what to add and take away (docs/facts/kommo-api.md 7.2)."""

from typing import Any

from sandbox.kommo.accounts.account import Account
from sandbox.kommo.api.shapes import found
from sandbox.kommo.records import Json, Tag


class UnfitTags(ValueError):
    """Not a list of objects."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def wanted_tags(account: Account, own: list[Tag], item: Json) -> list[Tag]:
    """``_embedded.tags``: null is no change (or wipes, by switch), ``[]`` wipes; then add, then delete."""
    tags = _listed(account, own, item)
    for one in _objects(item.get("tags_to_add"), "tags_to_add"):
        added = _tag(account, one)
        tags = [*(tag for tag in tags if tag.name != added.name), added]
    gone = _objects(item.get("tags_to_delete"), "tags_to_delete")
    if account.switches.reads("tag_delete_unknown", "makes_it"):
        made = [_tag(account, one) for one in gone if one.get("name")]
        account.loose_tags += [tag for tag in made if tag not in _known(account)]
    return [tag for tag in tags if not any(tag.id == one.get("id") or tag.name == one.get("name") for one in gone)]


def _listed(account: Account, own: list[Tag], item: Json) -> list[Tag]:
    embedded = item.get("_embedded")
    if not isinstance(embedded, dict) or "tags" not in embedded:
        return list(own)
    if embedded["tags"] is None:
        return [] if account.switches.reads("tags_null", "detaches") else list(own)
    return [_tag(account, one) for one in _objects(embedded["tags"], "_embedded.tags")]


def _objects(given: Any, path: str) -> list[Json]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise UnfitTags(path)
    return given


def _known(account: Account) -> list[Tag]:
    return [*account.loose_tags, *(tag for lead in account.leads.values() for tag in lead.tags)]


def _tag(account: Account, given: Json) -> Tag:
    """The account's tag of this id or name, made if there is none."""
    known = {tag.id: tag for tag in _known(account)}
    tag = found(known, given.get("id"))
    tag = tag or next((one for one in known.values() if one.name == given.get("name")), None)
    return tag or Tag(account.setting.ids.next("tag"), str(given.get("name", "")))
