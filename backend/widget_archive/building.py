"""Builds ``widget.zip`` from the sources."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from backend.core.money import CURRENCIES, WHOLE_UNITS_ONLY, exponent
from backend.widget_archive import checks
from backend.widget_archive.contract import API
from backend.widget_archive.errors import BackendAddressInvalid
from backend.widget_archive.packing import earlier, numbers, packed, raised
from backend.widget_archive.script import joined
from backend.widget_archive.sources import Sources, read_sources


@dataclass(frozen=True)
class BuiltWidget:
    """The archive at ``path``. ``changed``: it was written with a new version; otherwise it had this content
    already."""

    path: Path
    version: str
    content: bytes
    changed: bool


def build(sources: Path, backend_url: str, out: Path) -> BuiltWidget:
    """Write the archive to ``out``; the folder ``sources`` has ``manifest.json`` and ``widget/``.

    Raises a ``WidgetProblem`` and writes nothing if Kommo would refuse the result.
    """
    address = _checked_address(backend_url)
    read = read_sources(sources)
    version = checks.read_json("manifest.json", read.manifest).get("widget", {}).get("version", "")
    before = earlier(out)
    if before:
        # The file at `out` decides the version: the same content keeps it, a change raises it.
        kept = _files(read, address, before[0])
        if kept == before[1] and not _is_higher(version, before[0]):
            return BuiltWidget(out, before[0], out.read_bytes(), changed=False)
        version = raised(version, above=before[0])
    files = _files(read, address, version)
    content = packed(files)
    checks.check_archive(files, content)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    return BuiltWidget(out, version, content, changed=True)


def _is_higher(version: str, than: str) -> bool:
    return numbers(version) > numbers(than)


def _files(sources: Sources, address: str, version: str) -> dict[str, bytes]:
    """Name → content of all files in the archive, checked."""
    manifest = checks.read_json("manifest.json", sources.manifest)
    languages = {name: checks.read_json(f"i18n/{name}.json", text) for name, text in sources.languages.items()}
    checks.check_manifest(manifest, set(languages))
    checks.check_languages(languages, manifest, sources.scripts)
    checks.check_images(sources.images)
    manifest["widget"] |= {"version": version}
    manifest["widget"]["support"] = {"link": address} | _filled(manifest["widget"].get("support", {}))
    manifest["dp"]["webhook_url"] = f"{address}{manifest['dp']['webhook_url']}"
    facts: dict[str, object] = {
        "backend": address,
        "version": version,
        "api": API,
        "style": sources.style,
        "currencies": currency_decimals(),
    }
    texts = {"manifest.json": _pretty(manifest), "script.js": joined(sources.scripts, facts)}
    texts |= {f"i18n/{name}.json": _pretty(tree) for name, tree in languages.items()}
    return {name: text.encode() for name, text in texts.items()} | {
        f"images/{name}": sources.images[name] for name in checks.IMAGES
    }


def _filled(support: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in support.items() if value}


def _pretty(tree: dict[str, object]) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=2) + "\n"


def currency_decimals() -> dict[str, int]:
    """Currency code → the number of decimals with which people write amounts, for all currencies of Stripe."""
    return {code: 0 if code in WHOLE_UNITS_ONLY else exponent(code) for code in sorted(CURRENCIES)}


def _checked_address(url: str) -> str:
    """The URL without a trailing slash. Plain http is valid only on a loopback host, because a browser on an https page
    refuses other http requests."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    known = parts.scheme == "https" or (parts.scheme == "http" and local)
    if not known or not parts.hostname or parts.query or parts.fragment or parts.username or re.search(r"\s", url):
        raise BackendAddressInvalid(
            f"{url!r} is not a valid backend URL. Set PUBLIC_URL to one such as https://pay.example.com."
        )
    return url.rstrip("/")
