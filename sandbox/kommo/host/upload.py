"""What Kommo's upload refuses, by docs/facts/kommo-widget.md 1.1 to 1.5; written apart from the build on purpose."""

import json
import re
import struct
from typing import Any

from sandbox.kommo.world import KommoWorld

LOGOS = {"logo": (130, 100), "logo_main": (400, 272), "logo_medium": (240, 84)}
LOGOS |= {"logo_min": (84, 84), "logo_small": (108, 108)}
_ALLOWED = re.compile(r"[\w./-]+\.(json|js|css|png|jpg|svg|twig)")
_SECRET = re.compile(rb"sk_(live|test)_|rk_(live|test)_|whsec_")


class UploadRefused(ValueError):
    """The archive is not one that Kommo would take; the message says why."""


def check_upload(files: dict[str, bytes], world: KommoWorld) -> None:
    manifest = _json(files, "manifest.json")
    for name in files:
        _demand(bool(_ALLOWED.fullmatch(name)) and "/." not in f"/{name}", f"{name} has no place in an archive")
    _demand("script.js" in files, "script.js is missing")
    _check_manifest(manifest)
    _check_languages(manifest, files)
    for name, size in LOGOS.items():
        _check_logo(f"images/{name}.png", files, size)
    _refuse_secrets(files, world)


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise UploadRefused(otherwise)


def _json(files: dict[str, bytes], name: str) -> dict[str, Any]:
    _demand(name in files, f"{name} is missing")
    try:
        found = json.loads(files[name].decode("utf-8"))
    except ValueError as error:
        raise UploadRefused(f"{name} is no JSON in UTF-8 without a mark") from error
    _demand(isinstance(found, dict), f"{name} is no object")
    return dict(found)


def _check_manifest(manifest: dict[str, Any]) -> None:
    widget = manifest.get("widget", {})
    for name in ("name", "description", "short_description", "interface_version", "locale", "installation"):
        _demand(name in widget, f"widget.{name} is missing")
    _demand(widget["interface_version"] == 2, "widget.interface_version is not 2")
    _demand(bool(manifest.get("locations")), "locations is missing")
    _demand(not widget["installation"] or bool(manifest.get("settings")), "installation without settings")


def _check_languages(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    present = {name[5:-5] for name in files if name.startswith("i18n/")}
    _demand(set(manifest["widget"]["locale"]) == present, "locale and i18n/ differ")
    shapes = [_keys(_json(files, f"i18n/{language}.json")) for language in sorted(present)]
    _demand(all(shape == shapes[0] for shape in shapes), "the languages have different keys")
    for key in ("name", "description", "short_description"):
        _demand(manifest["widget"][key] in shapes[0], f"the key of widget.{key} has no text")


def _keys(tree: dict[str, Any], above: str = "") -> set[str]:
    nested = {above + name: value for name, value in tree.items()}
    below = [_keys(value, f"{name}.") for name, value in nested.items() if isinstance(value, dict)]
    return {name for name, value in nested.items() if isinstance(value, str)}.union(*below)


def _check_logo(name: str, files: dict[str, bytes], size: tuple[int, int]) -> None:
    _demand(name in files, f"{name} is missing")
    content = files[name]
    _demand(content[:4] == b"\x89PNG" and struct.unpack(">II", content[16:24]) == size, f"{name} is not {size}")
    _demand(len(content) <= 300 * 1024, f"{name} is over 300 KB")


def _refuse_secrets(files: dict[str, bytes], world: KommoWorld) -> None:
    """The files reach every user's browser."""
    secrets = [one.client_secret.encode() for one in world.integrations.values()]
    for name, content in files.items():
        leaked = _SECRET.search(content) or any(secret in content for secret in secrets)
        _demand(not leaked, f"{name} holds a secret")
