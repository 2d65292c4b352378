"""Build the widget and check the types of the one script that Kommo will load.

The joiner edits text, so a name that it lost shows only in what it made. Needs ``deno`` on the PATH.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from backend.widget_archive import build, find_sources
from backend.widget_archive.packing import unpacked

FOLDER = Path(".cache/built_widget")


def main() -> int:
    sources = find_sources()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    built = build(sources, "https://lint.example", FOLDER / "widget.zip")
    (FOLDER / "script.js").write_bytes(unpacked(built.content)["script.js"])
    shutil.copy(sources / "widget/types.d.ts", FOLDER)
    options = json.loads((sources / "widget/jsconfig.json").read_text(encoding="utf-8"))
    (FOLDER / "jsconfig.json").write_text(json.dumps(options), encoding="utf-8")
    check = ("deno", "check", "--quiet", "--config", str(FOLDER / "jsconfig.json"), str(FOLDER / "script.js"))
    return subprocess.run(check, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
