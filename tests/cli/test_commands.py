"""The command line as an operator meets it: real processes, real files."""

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest

from sandbox.serving import free_port
from tests.cli.processes import GOOD, ROOT, environment
from tests.command_line import command


def _run(folder: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    return command(folder, words, environment(**given))


def _serving(folder: Path, port: int, *words: str) -> subprocess.Popen[bytes]:
    given = environment(**GOOD, PUBLIC_URL=f"http://127.0.0.1:{port}", PORT=str(port))
    called = [sys.executable, "-m", "backend", "serve", *words]
    process = subprocess.Popen(called, cwd=folder, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return process
        except httpx.HTTPError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("serve did not answer")


def test_init_writes_a_private_env_builds_the_widget_and_says_what_is_next(tmp_path: Path) -> None:
    done = _run(tmp_path, "init", "--public-url", "https://pay.example.com")
    assert done.returncode == 0, done.stderr
    env = tmp_path / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert "PUBLIC_URL=https://pay.example.com\n" in env.read_text()
    assert "https://pay.example.com/oauth/kommo/callback" in done.stdout
    with zipfile.ZipFile(tmp_path / "widget.zip") as archive:
        assert "manifest.json" in archive.namelist()
        assert b"https://pay.example.com" in archive.read("script.js")


def test_init_leaves_an_env_that_is_there_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEYS=of great value\n")
    done = _run(tmp_path, "init", "--public-url", "https://pay.example.com")
    assert done.returncode == 1
    assert (tmp_path / ".env").read_text() == "SECRET_KEYS=of great value\n"


def test_init_refuses_an_address_that_kommo_could_not_reach(tmp_path: Path) -> None:
    done = _run(tmp_path, "init", "--public-url", "http://pay.example.com")
    assert (done.returncode, "PUBLIC_URL" in done.stderr, (tmp_path / ".env").exists()) == (2, True, False)


def test_what_init_wrote_is_enough_to_serve(tmp_path: Path) -> None:
    port = free_port()
    assert _run(tmp_path, "init", "--public-url", f"http://127.0.0.1:{port}").returncode == 0
    called = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
    process = subprocess.Popen(called, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        assert answer.json()["status"] == "ok"
    finally:
        process.terminate()
        process.wait(20)


def test_missing_settings_end_at_once_each_named(tmp_path: Path) -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "backend", "serve"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert all(name in done.stderr for name in ("PUBLIC_URL", "SECRET_KEYS", "ADMIN_TOKEN"))
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 20


def test_sigterm_ends_serve_with_zero(tmp_path: Path) -> None:
    process = _serving(tmp_path, free_port())
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_sigterm_ends_the_worker_with_zero(tmp_path: Path) -> None:
    given = environment(**GOOD, PUBLIC_URL="http://127.0.0.1:1")
    called = [sys.executable, "-m", "backend", "worker"]
    process = subprocess.Popen(called, cwd=tmp_path, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    assert b"worker started" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_web_and_worker_run_apart(tmp_path: Path) -> None:
    process = _serving(tmp_path, free_port(), "--no-worker")
    process.terminate()
    assert process.wait(20) == 0


def test_the_widgets_archive_is_repeatable(tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        assert _run(tmp_path, "widget", "build", "--out", name, "--url", "https://pay.example.com").returncode == 0
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_replaying_needs_to_be_told_what(tmp_path: Path) -> None:
    done = _run(tmp_path, "events", "replay", **GOOD, PUBLIC_URL="http://127.0.0.1:1")
    assert (done.returncode, "--all" in done.stderr) == (2, True)


LATER = ("sqlite+aiosqlite:///./later.db", "is of a later version of this program (9999)")


@pytest.mark.parametrize(
    ("words", "url", "said"),
    [
        ("worker", *LATER),
        ("events list", *LATER),
        ("doctor", *LATER),
        ("serve", *LATER),
        ("serve", "postgresql+psycopg://user:of-great-value@127.0.0.1:1/name", "can't be opened: connection failed"),
        ("serve", "sqlite+aiosqlite:////no/such/folder/x.db", "can't be opened: unable to open database file"),
        ("serve", "sqlite+aiosqlite:///./letter.db", "can't be opened: file is not a database"),
    ],
)
def test_a_database_that_can_not_be_used_is_said_in_a_sentence(tmp_path: Path, words: str, url: str, said: str) -> None:
    (tmp_path / "letter.db").write_text("Dear database, ")
    with contextlib.closing(sqlite3.connect(tmp_path / "later.db")) as later:
        later.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        later.execute("INSERT INTO alembic_version VALUES ('9999')")
        later.commit()
    done = _run(tmp_path, *words.split(), **GOOD, PUBLIC_URL="http://127.0.0.1:1", DATABASE_URL=url)
    told = done.stdout + done.stderr
    assert (done.returncode, said in told, "Traceback" in told, "of-great-value" in told) == (1, True, False, False)


def test_a_sandbox_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its product is a process of its own, and would keep its port."""
    called = [sys.executable, "-u", "-m", "backend", "sandbox"]
    out, errors = subprocess.PIPE, (tmp_path / "errors").open("w")
    with subprocess.Popen(called, cwd=tmp_path, env=environment(), stdout=out, stderr=errors, text=True) as sandbox:
        assert sandbox.stdout is not None
        backend = next(line.split()[1].removesuffix("/admin") for line in sandbox.stdout if "Set-up" in line)
        assert httpx.get(f"{backend}/healthz").status_code == 200
        sandbox.send_signal(signal.SIGTERM)
        assert sandbox.wait(20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{backend}/healthz")
    errors.close()
    assert (tmp_path / "errors").read_text() == "", "the product's log stays out of what a person reads"


@pytest.mark.parametrize("word", ["sandbox", "story"])
def test_the_sandbox_of_an_installed_package_says_in_a_line_that_it_needs_a_checkout(tmp_path: Path, word: str) -> None:
    (tmp_path / "backend").symlink_to(ROOT / "backend")  # all that the wheel holds
    done = subprocess.run(
        [sys.executable, "-m", "backend", word], cwd=tmp_path, env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"`{word}` needs a checkout of the repository: run `python3 run.py {word}` there."
        " The installed package has no sandbox."
    ]


def test_the_wheel_holds_the_backend_and_not_the_sandbox() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["backend"]
    assert not any(path.startswith("sandbox") for path in wheel["force-include"])


def test_what_the_commands_write_is_for_their_own_user_alone(tmp_path: Path) -> None:
    """Whatever the umask of whoever starts them; and a database of an earlier version is closed to others."""
    given = GOOD | {"PUBLIC_URL": "http://127.0.0.1:9"}
    before = os.umask(0o022)
    try:
        assert _run(tmp_path, "init", "--public-url", "http://127.0.0.1:9").returncode == 0
        assert _run(tmp_path, "migrate", **given).returncode == 0
        assert _open_to_others(tmp_path) == []
        (tmp_path / "kommo-stripe.db").chmod(0o644)
        port = free_port()
        process = _serving(tmp_path, port)
        assert _open_to_others(tmp_path) == []
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        os.umask(before)
    assert _open_to_others(tmp_path) == []


def _open_to_others(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077]


def test_a_database_that_somebody_gave_to_a_group_stays_so(tmp_path: Path) -> None:
    assert _run(tmp_path, "migrate", **GOOD, PUBLIC_URL="http://127.0.0.1:9").returncode == 0
    database = tmp_path / "kommo-stripe.db"
    database.chmod(0o640)
    assert _run(tmp_path, "migrate", **GOOD, PUBLIC_URL="http://127.0.0.1:9").returncode == 0
    assert stat.S_IMODE(database.stat().st_mode) == 0o640
