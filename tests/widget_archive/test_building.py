"""widget.zip as Kommo wants it: the same bytes for the same content, a higher version for another, nothing refused."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from backend import widget_archive
from backend.widget_archive import building, declarations, errors, packing, script

ADDRESS = "https://pay.example.com"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the real sources that a test may spoil."""
    folder = tmp_path / "sources"
    real = widget_archive.find_sources()
    shutil.copytree(real / "widget", folder / "widget")
    shutil.copy(real / "manifest.json", folder)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "dist" / "widget.zip"


def _manifest(built: widget_archive.BuiltWidget) -> dict[str, dict[str, object]]:
    found = json.loads(packing.unpacked(built.content)["manifest.json"])
    assert isinstance(found, dict)
    return found


def _edit_json(path: Path, group: str, **changes: object) -> None:
    tree = json.loads(path.read_text())
    tree[group] |= changes
    path.write_text(json.dumps(tree))


def test_the_archive_holds_what_kommo_asks_for_at_its_root(sources: Path, out: Path) -> None:
    names = set(packing.unpacked(widget_archive.build(sources, ADDRESS, out).content))
    languages = {f"i18n/{code}.json" for code in ("en", "es", "pt", "tr", "id")}
    images = {f"images/logo{part}.png" for part in ("", "_main", "_medium", "_min", "_small", "_dp")}
    assert names == {"manifest.json", "script.js"} | languages | images


def test_two_builds_of_the_same_content_are_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    one = widget_archive.build(sources, ADDRESS, tmp_path / "one.zip")
    two = widget_archive.build(sources, ADDRESS, tmp_path / "two.zip")
    assert one.content == two.content == (tmp_path / "two.zip").read_bytes()


def test_every_entry_has_the_same_date_and_rights(sources: Path, out: Path) -> None:
    widget_archive.build(sources, ADDRESS, out)
    entries = zipfile.ZipFile(out).infolist()
    facts = {(entry.date_time, entry.external_attr >> 16, entry.compress_type) for entry in entries}
    assert facts == {((1980, 1, 1, 0, 0, 0), 0o100664, zipfile.ZIP_DEFLATED)}


def test_building_again_leaves_an_unchanged_widget_alone(sources: Path, out: Path) -> None:
    first = widget_archive.build(sources, ADDRESS, out)
    again = widget_archive.build(sources, ADDRESS, out)
    assert (again.changed, again.version, again.content) == (False, first.version, first.content)


def test_a_changed_content_raises_the_version(sources: Path, out: Path) -> None:
    first = widget_archive.build(sources, ADDRESS, out)
    moved = widget_archive.build(sources, "https://other.example.com", out)
    assert packing.numbers(moved.version) > packing.numbers(first.version)
    assert _manifest(moved)["widget"]["version"] == moved.version


def test_a_raised_version_stays_raised(sources: Path, out: Path) -> None:
    widget_archive.build(sources, ADDRESS, out)
    moved = widget_archive.build(sources, "https://other.example.com", out)
    assert widget_archive.build(sources, "https://other.example.com", out).version == moved.version


def test_a_higher_version_in_the_manifest_is_taken(sources: Path, out: Path) -> None:
    widget_archive.build(sources, ADDRESS, out)
    _edit_json(sources / "manifest.json", "widget", version="7.0.0")
    assert widget_archive.build(sources, ADDRESS, out).version == "7.0.0"


def test_a_file_that_is_no_widget_is_replaced(sources: Path, out: Path) -> None:
    out.parent.mkdir()
    out.write_bytes(b"not a zip")
    assert widget_archive.build(sources, ADDRESS, out).changed


def test_the_script_is_one_module_with_the_address_in_it(sources: Path, out: Path) -> None:
    text = packing.unpacked(widget_archive.build(sources, f"{ADDRESS}/", out).content)["script.js"].decode()
    assert text.count("define(") == 1
    assert f'"backend": "{ADDRESS}"' in text
    assert "\nimport " not in text
    assert "\nexport " not in text


def test_the_script_knows_the_decimals_of_every_currency() -> None:
    decimals = building.currency_decimals()
    assert {code: decimals[code] for code in ("EUR", "JPY", "KWD", "ISK", "UGX")} == {
        "EUR": 2,
        "JPY": 0,
        "KWD": 3,
        "ISK": 0,
        "UGX": 0,
    }


@pytest.mark.parametrize(
    "address",
    ["", "pay.example.com", "http://pay.example.com", "https://", "https://a b.example", "https://x.example?y"],
)
def test_an_address_a_browser_would_not_call_is_refused(sources: Path, out: Path, address: str) -> None:
    with pytest.raises(errors.BackendAddressInvalid, match="PUBLIC_URL"):
        widget_archive.build(sources, address, out)


def test_plain_http_is_taken_on_this_machine(sources: Path, out: Path) -> None:
    assert widget_archive.build(sources, "http://127.0.0.1:8000", out).changed


def test_a_missing_translation_is_named(sources: Path, out: Path) -> None:
    tree = json.loads((sources / "widget/i18n/tr.json").read_text())
    del tree["form"]["amount"]
    (sources / "widget/i18n/tr.json").write_text(json.dumps(tree))
    with pytest.raises(errors.TranslationsDiffer, match=r"tr\.json lacks form\.amount"):
        widget_archive.build(sources, ADDRESS, out)


def test_a_key_of_the_manifest_without_a_text_is_named(sources: Path, out: Path) -> None:
    _edit_json(sources / "manifest.json", "advanced", title="advanced.nowhere")
    with pytest.raises(errors.TranslationsDiffer, match=r"advanced\.nowhere"):
        widget_archive.build(sources, ADDRESS, out)


def test_a_key_of_a_script_without_a_text_is_named(sources: Path, out: Path) -> None:
    with (sources / "widget/card/view.js").open("a") as file:
        file.write("\nexport const more = (words) => words('card.forgotten');\n")
    with pytest.raises(errors.TranslationsDiffer, match=r"card\.forgotten"):
        widget_archive.build(sources, ADDRESS, out)


def test_an_image_of_other_size_is_refused(sources: Path, out: Path) -> None:
    shutil.copy(sources / "widget/images/logo_min.png", sources / "widget/images/logo_main.png")
    with pytest.raises(errors.ImageInvalid, match=r"logo_main\.png must be a PNG of 400×272"):
        widget_archive.build(sources, ADDRESS, out)


def test_an_image_too_heavy_is_refused(sources: Path, out: Path) -> None:
    with (sources / "widget/images/logo.png").open("ab") as file:
        file.write(b"\0" * 300 * 1024)
    with pytest.raises(errors.ImageInvalid, match="over 300 KB"):
        widget_archive.build(sources, ADDRESS, out)


def test_a_language_without_its_file_is_refused(sources: Path, out: Path) -> None:
    (sources / "widget/i18n/id.json").unlink()
    with pytest.raises(errors.ManifestInvalid, match="locale"):
        widget_archive.build(sources, ADDRESS, out)


def test_broken_json_is_refused_by_name(sources: Path, out: Path) -> None:
    (sources / "widget/i18n/es.json").write_text("{")
    with pytest.raises(errors.ManifestInvalid, match=r"i18n/es\.json is not JSON"):
        widget_archive.build(sources, ADDRESS, out)


def test_a_byte_order_mark_is_refused(sources: Path, out: Path) -> None:
    manifest = sources / "manifest.json"
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes())
    with pytest.raises(errors.ManifestInvalid, match=r"manifest\.json is not JSON"):
        widget_archive.build(sources, ADDRESS, out)


def test_a_refused_build_leaves_the_earlier_file(sources: Path, out: Path) -> None:
    before = widget_archive.build(sources, ADDRESS, out).content
    (sources / "widget/images/logo.png").unlink()
    with pytest.raises(errors.ImageInvalid, match="missing"):
        widget_archive.build(sources, ADDRESS, out)
    assert out.read_bytes() == before


def test_a_missing_folder_is_said(tmp_path: Path, out: Path) -> None:
    with pytest.raises(errors.SourcesMissing, match=r"manifest\.json"):
        widget_archive.build(tmp_path, ADDRESS, out)


def test_an_installed_package_finds_the_sources_it_carries(sources: Path, tmp_path: Path) -> None:
    """As the wheel lays them out: backend/_widget/manifest.json and backend/_widget/widget/."""
    site = tmp_path / "site"
    no_cache = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(widget_archive.__file__).parents[1], site / "backend", ignore=no_cache)
    shutil.copytree(sources, site / "backend" / "_widget")
    code = "from backend.widget_archive import find_sources; print(find_sources())"
    found = subprocess.run([sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(site / "backend" / "_widget")


def test_two_modules_with_the_same_name_in_them_are_refused() -> None:
    scripts = {
        "script": "import { a } from './other.js';\nexport default function Widget() {}\nfunction b() {}\n",
        "other": "export const a = 1;\nconst b = 2;\n",
    }
    with pytest.raises(errors.ScriptInvalid, match="b is declared in"):
        script.joined(scripts, {})


def test_an_import_of_a_module_that_is_not_there_is_refused() -> None:
    scripts = {"script": "import { a } from './gone.js';\nexport default function Widget() {}\n"}
    with pytest.raises(errors.ScriptInvalid, match=r"imports gone\.js"):
        script.joined(scripts, {})


def test_an_import_from_elsewhere_is_refused() -> None:
    scripts = {"script": "import x from 'somewhere';\nexport default function Widget() {}\n"}
    with pytest.raises(errors.ScriptInvalid, match="cannot join"):
        script.joined(scripts, {})


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("import { a as b } from './other.js';\n", "cannot rename"),
        ("import {\n  a as b,\n} from './other.js';\n", "cannot rename"),
        ("import * as all from './other.js';\n", "cannot join"),
        ("import './other.js';\n", "cannot join"),
        ("const { b, c } = a;\n", "destructures"),
        ("let [b] = [1];\n", "destructures"),
        ("export const b = 1,\n  c = 2;\n", "another name in one statement"),
        ("const b = f(1, [2, 3], `${x ? `,` : ','}`), c = /[,/]/;\n", "another name in one statement"),
    ],
)
def test_a_form_that_hides_a_name_is_refused(line: str, match: str) -> None:
    scripts = {"script": line + "export default function Widget() {}\n", "other": "export const a = 1;\n"}
    with pytest.raises(errors.ScriptInvalid, match=match):
        script.joined(scripts, {})


def test_commas_inside_a_value_declare_nothing() -> None:
    text = "const b = { c: [1, 2], d: (x, y) => `${x}, ${y}` /* , */, e: /[',]/ };\nconst c = 'x, y';\n"
    assert list(declarations.declared_names("x", text)) == ["b", "c"]


def test_modules_in_folders_find_each_other() -> None:
    scripts = {
        "script": "import { a } from './card/view.js';\nexport default function Widget() {}\n",
        "card/view": "import { c } from '../ui/dom.js';\nexport const a = c;\n",
        "ui/dom": "export const c = 1;\n",
    }
    text = script.joined(scripts, {})
    assert text.index("const c = 1") < text.index("const a = c") < text.index("function Widget")


def test_a_module_comes_after_what_it_needs() -> None:
    scripts = {
        "script": "import { a } from './above.js';\nexport default function Widget() {}\n",
        "above": "import { c } from './below.js';\nexport const a = c;\n",
        "below": "export const c = 1;\n",
    }
    text = script.joined(scripts, {})
    assert text.index("const c = 1") < text.index("const a = c") < text.index("function Widget")


@pytest.mark.parametrize(
    "sink", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc", "$("]
)
def test_the_script_has_no_way_to_turn_text_into_markup(sources: Path, out: Path, sink: str) -> None:
    built = widget_archive.build(sources, ADDRESS, out)
    assert sink not in packing.unpacked(built.content)["script.js"].decode()


def test_placeholders_are_the_same_in_every_language(sources: Path) -> None:
    """A text without its amount, or with a placeholder nobody fills, is found before a person reads it."""
    trees = {path.stem: json.loads(path.read_text()) for path in (sources / "widget" / "i18n").glob("*.json")}

    def places(tree: dict[str, object]) -> dict[str, object]:
        return {
            name: places(value) if isinstance(value, dict) else sorted(re.findall(r"\{\w+\}", str(value)))
            for name, value in tree.items()
        }

    assert all(places(tree) == places(trees["en"]) for tree in trees.values())


def test_kommo_sends_the_pipelines_hooks_to_the_backend(sources: Path, out: Path) -> None:
    action = _manifest(widget_archive.build(sources, ADDRESS, out))["dp"]
    assert action["webhook_url"] == f"{ADDRESS}/kommo/hooks/rules"
