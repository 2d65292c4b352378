"""What each command says in a line of our own, and that the list of commands is whole and quick."""

import json
import re
import socket
from pathlib import Path

import pytest
from typer.main import get_command

import run as run_py
from backend.cli.app import COMMANDS, command_line
from tests.cli.processes import GOOD, ROOT, run, serving
from tests.docs.text import read

HERE = GOOD | {"PUBLIC_URL": "http://127.0.0.1:9"}
SECRET = re.compile("secret|token|password|code|_key")


def test_the_help_page_lists_every_command(tmp_path: Path) -> None:
    shown = run(tmp_path, "--help", COLUMNS="200").stdout
    assert [name for name, command in COMMANDS.items() if f"{name} " not in shown or command.help not in shown] == []


def test_every_command_is_listed_with_its_own_first_sentence() -> None:
    for name, command in COMMANDS.items():
        if command.module == "sandbox":
            continue
        whole = get_command(command_line([name])).commands[name]  # type: ignore[attr-defined]
        assert (whole.help or "").startswith(command.help.removesuffix("."))


def test_run_py_and_the_readme_list_every_command() -> None:
    readme = read(ROOT / "README.md").partition("| command | what it does |")[2]
    here = COMMANDS.keys() - {"sandbox"}  # which is run.py without a word
    assert [name for name in here if f"python3 run.py {name} " not in (run_py.__doc__ or "")] == []
    assert [name for name in COMMANDS if f"`{name}`" not in readme and f"run.py {name}" not in readme] == []


def test_no_secret_can_be_given_as_an_argument() -> None:
    """It would stand in the list of processes, and in the shell's history."""
    found = []
    for name in COMMANDS:
        whole = get_command(command_line([name])).commands[name]  # type: ignore[attr-defined]
        for part in getattr(whole, "commands", {"": whole}).values():
            found += [(name, one.name) for one in part.params if SECRET.search(one.name) and not one.is_flag]
    assert found == []


def test_a_secret_is_a_line_of_the_input(tmp_path: Path) -> None:
    done = run(tmp_path, "integrations", "add", "an-id", given="of great value\n", **HERE)
    assert (done.returncode, done.stdout) == (0, "an-id: kept\n")
    done = run(tmp_path, "integrations", "add", "an-id", **HERE)
    assert (done.returncode, done.stderr.startswith("Secret key is missing")) == (2, True)


def test_lists_that_are_empty_and_nothing_to_migrate_are_said(tmp_path: Path) -> None:
    first, again = (run(tmp_path, "migrate", **HERE).stdout for _ in range(2))
    assert re.fullmatch(r"The database is up to date: \d+ steps\.\n", first)
    assert again == "The database was up to date already.\n"
    said = {
        "events list": "Stripe has sent no event yet.",
        "events list --state dead": "No event is dead.",
        "integrations list": "No integration is known yet",
        "payments unmatched": "Every payment has its deal.",
        "shadow report": "No account is connected.",
    }
    for words, sentence in said.items():
        done = run(tmp_path, *words.split(), **HERE)
        assert (done.stdout, done.stderr.startswith(sentence)) == ("", True), words


def test_a_taken_port_is_said_before_anything_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(tmp_path, "serve", "--port", str(port), **HERE)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Port {port} of 127.0.0.1 is in use by another process. End it or choose another port: PORT or --port."
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["--no-worker", "--worker"])
def test_serve_says_where_it_listens_and_what_is_missing(tmp_path: Path, words: str) -> None:
    with serving(tmp_path, words) as served:
        told = [served.line() for _ in range(3)]
    assert told[0] == f"Listening on http://127.0.0.1:{served.port} for {served.public_url}"
    assert told[1].startswith(f"Set-up: {served.public_url}/admin")
    assert told[2].startswith("Missing: a Kommo integration. Its Integration ID and secret key are entered at")


def test_an_address_that_is_not_ours_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--host", "192.0.2.1", **HERE)
    assert (done.returncode, done.stderr.startswith("192.0.2.1 can't be listened on: ")) == (1, True)
    assert len(done.stderr.splitlines()) == 1


def test_the_doctor_answers_programs_too(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "--json", **HERE)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, [(one["what"], one["ok"]) for one in found]) == (
        1,
        [("settings", True), ("database", False)],
    )
    bare = run(tmp_path, "doctor", "--json")
    wrong = [json.loads(line) for line in bare.stdout.splitlines()]
    assert (bare.returncode, {one["ok"] for one in wrong}, "PUBLIC_URL" in wrong[0]["said"]) == (2, {False}, True)
