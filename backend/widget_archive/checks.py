"""Finds before the upload what Kommo refuses or silently drops (docs/facts/kommo-widget.md 1.1 to 1.5)."""

import json
import re
import struct
from typing import Any

from backend.widget_archive.errors import ArchiveInvalid, ImageInvalid, ManifestInvalid, TranslationsDiffer

IMAGES = {
    "logo.png": (130, 100),
    "logo_main.png": (400, 272),
    "logo_medium.png": (240, 84),
    "logo_min.png": (84, 84),
    "logo_small.png": (108, 108),
    "logo_dp.png": (174, 109),
}
IMAGE_BYTES = 300 * 1024
ARCHIVE_BYTES = 1024 * 1024
"""Kommo's own limit is unknown; ours is well below any plausible one."""

_KNOWN_LANGUAGES = {"en", "es", "pt", "tr", "id"}
_KNOWN_TYPES = {"text", "pass", "users", "users_lp", "custom"}
_LOCATION = re.compile(
    r"(lcard|ccard|comcard|llist|clist|tlist|settings|advanced_settings|card_sdk|catalogs|digital_pipeline|"
    r"lead_sources|widget_page|sms|mobile_card|salesbot_designer|website_chat_button|everywhere|ai_agent)(-[01])?"
)
_WORD = re.compile(r"'(([a-z_]+)\.[a-z_]+)'")
_FILE = re.compile(r"(manifest\.json|script\.js|i18n/[a-z]{2}\.json|images/[a-z_]+\.png)")
_PNG = b"\x89PNG\r\n\x1a\n"

Json = dict[str, Any]


def read_json(name: str, text: str) -> Json:
    """The JSON object in ``text``. Raises ``ManifestInvalid``, also for a byte order mark.

    Broken JSON is the most common error of an upload to Kommo.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ManifestInvalid(f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ManifestInvalid(f"{name} must hold a JSON object.")
    return found


def check_manifest(manifest: Json, languages: set[str]) -> None:
    """Raise ``ManifestInvalid`` if the manifest breaks a rule of Kommo's. ``languages``: codes of the files in
    i18n/."""
    widget = manifest.get("widget", {})
    locations = manifest.get("locations", [])
    _demand(widget.get("interface_version") == 2, "widget.interface_version must be 2.")
    _demand(isinstance(widget.get("installation"), bool), "widget.installation must be true or false.")
    _demand(bool(re.fullmatch(r"\d+\.\d+\.\d+", str(widget.get("version")))), "widget.version must look like 1.2.3.")
    _demand(set(widget.get("locale", [])) == languages, "widget.locale must name exactly the files of i18n/.")
    _demand(languages <= _KNOWN_LANGUAGES, f"Kommo's languages are {', '.join(sorted(_KNOWN_LANGUAGES))}.")
    _demand(bool(locations) and all(_LOCATION.fullmatch(one) for one in locations), "locations has an unknown name.")
    for code, field in manifest.get("settings", {}).items():
        _demand(field.get("type") in _KNOWN_TYPES, f"settings.{code} has an unknown type.")
    if "digital_pipeline" in locations:
        action = manifest.get("dp", {})
        _demand(str(action.get("webhook_url", "")).startswith("/"), "dp.webhook_url must be a path of the backend.")
        _demand(isinstance(action.get("action_multiple"), bool), "dp.action_multiple must be true or false.")
    if "advanced_settings" in locations:
        _demand("title" in manifest.get("advanced", {}), "advanced_settings needs advanced.title.")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ManifestInvalid(f"manifest.json: {otherwise}")


def check_languages(languages: dict[str, Json], manifest: Json, scripts: dict[str, str]) -> None:
    """Raise ``TranslationsDiffer`` unless all languages have the same non-empty texts, and all keys that the manifest
    or a script names."""
    keys = {name: flat_keys(tree) for name, tree in languages.items()}
    every = set().union(*keys.values())
    for name, present in keys.items():
        _demand_keys(every - present, f"i18n/{name}.json lacks")
    groups = {key.partition(".")[0] for key in every}
    quoted = {found for text in scripts.values() for found in _WORD.findall(text)}
    named = {key for key, group in quoted if group in groups} | manifest_keys(manifest)
    _demand_keys(named - every, "no language has")


def _demand_keys(missing: set[str], sentence: str) -> None:
    if missing:
        raise TranslationsDiffer(f"{sentence} {', '.join(sorted(missing))}.")


def flat_keys(tree: Json, above: str = "") -> set[str]:
    """The dotted keys of all non-empty texts in the tree."""
    keys: set[str] = set()
    for name, value in tree.items():
        if isinstance(value, dict):
            keys |= flat_keys(value, f"{above}{name}.")
        elif isinstance(value, str) and value.strip():
            keys.add(f"{above}{name}")
    return keys


def manifest_keys(manifest: Json) -> set[str]:
    """The i18n keys that Kommo looks up for this manifest."""
    widget = manifest["widget"]
    keys = {str(widget.get(name, f"widget.{name}")) for name in ("name", "description", "short_description")}
    steps = [one for name, one in manifest.get("salesbot_designer", {}).items() if name != "logo"]
    fields = [manifest.get("settings", {}), manifest.get("dp", {}).get("settings", {})]
    fields += [one["settings"] for one in steps]
    keys |= {str(one["name"]) for one in steps}
    keys |= {str(field["name"]) for some in fields for field in some.values()}
    return keys | ({str(manifest["advanced"]["title"])} if "advanced" in manifest else set())


def check_images(images: dict[str, bytes]) -> None:
    """Raise ``ImageInvalid`` if an image is missing, not a PNG of the required size in pixels, or over 300 KB."""
    for name, wanted in IMAGES.items():
        if name not in images:
            raise ImageInvalid(f"images/{name} is missing.")
        size = png_size(images[name])
        if size != wanted:
            raise ImageInvalid(f"images/{name} must be a PNG of {wanted[0]}×{wanted[1]} pixels, it is {size}.")
        if len(images[name]) > IMAGE_BYTES:
            raise ImageInvalid(f"images/{name} is over 300 KB.")


def png_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels from the header; None if it is not a PNG."""
    if not content.startswith(_PNG) or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def check_archive(files: dict[str, bytes], archive: bytes) -> None:
    """Raise ``ArchiveInvalid`` if the archive has a file that Kommo does not use, or is over 1 MiB."""
    strange = [name for name in files if not _FILE.fullmatch(name)]
    if strange:
        raise ArchiveInvalid(f"The archive would hold {', '.join(strange)}, which Kommo has no use for.")
    if len(archive) > ARCHIVE_BYTES:
        raise ArchiveInvalid(f"The archive has {len(archive)} bytes, the limit is {ARCHIVE_BYTES}.")
