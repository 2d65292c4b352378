"""run.py: what each word of a developer needs and runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from run import COLLECT, IMAGE, LINT, Plan, plan_for, run_steps
from tests.tools.bootstrap.made_up import ROOT
from tools.bootstrap.locks import DEV_LOCK, LOCK, SANDBOX_LOCK


def test_without_a_command_the_sandbox_starts() -> None:
    assert plan_for([], 2) == Plan(SANDBOX_LOCK, (("-m", "backend", "sandbox"),))


def test_a_server_does_not_install_what_plays_kommo_and_stripe() -> None:
    assert plan_for(["story"], 2).lock == SANDBOX_LOCK
    assert {plan_for([word], 2).lock for word in ("init", "serve", "worker", "migrate", "doctor")} == {LOCK}
    assert "jsonschema" not in (ROOT / LOCK).read_text()
    assert "jsonschema" in (ROOT / SANDBOX_LOCK).read_text()


def test_an_unknown_word_goes_to_the_product_which_says_that_it_does_not_know_it() -> None:
    assert plan_for(["blunder", "--fast"], 2) == Plan(LOCK, (("-m", "backend", "blunder", "--fast"),))


def test_the_tests_come_after_lint_and_have_a_browser() -> None:
    plan = plan_for(["test"], 2)
    assert (plan.lock, plan.browser) == (DEV_LOCK, True)
    assert [step[1] for step in plan.steps] == ["ruff", "ruff", "mypy", "pytest"]


def test_a_whole_run_makes_the_image_and_compiles_beside_the_checks_and_a_part_does_not() -> None:
    assert [plan_for(["test", *more], 2).beside for more in ([], ["--full"])] == [(COLLECT, IMAGE)] * 2
    assert not plan_for(["test", "tests/ledger"], 2).beside
    assert not plan_for(["lint"], 2).beside


def test_lint_needs_no_browser() -> None:
    assert plan_for(["lint"], 2) == Plan(DEV_LOCK, LINT, browser=False, scripts=True)


def test_measuring_has_the_peers_of_the_test_packages() -> None:
    assert plan_for(["bench", "ingest"], 2) == Plan(DEV_LOCK, (("-m", "bench", "ingest"),))


def test_the_daily_run_leaves_out_what_takes_long() -> None:
    assert "not full" in plan_for(["test"], 2).steps[-1]
    assert "not full" not in plan_for(["test", "--full"], 2).steps[-1]
    assert "--full" not in plan_for(["test", "--full"], 2).steps[-1]


def test_what_the_caller_tells_pytest_comes_last_and_so_wins() -> None:
    assert plan_for(["test", "-n", "0", "tests/test_run.py"], 2).steps[-1][-3:] == ("-n", "0", "tests/test_run.py")


@pytest.mark.parametrize(("cpus", "workers"), [(1, "4"), (2, "4"), (5, "5"), (64, "6")])
def test_workers_fit_the_machine(cpus: int, workers: str) -> None:
    call = plan_for(["test"], cpus).steps[-1]
    assert call[call.index("-n") + 1] == workers


def exiting(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def test_a_failing_step_does_not_hide_the_next_and_its_code_is_passed_on() -> None:
    assert run_steps([exiting(3), exiting(0)]) == 3
    assert run_steps([exiting(3), exiting(5)]) == 5
    assert run_steps([exiting(0), exiting(0)]) == 0


def test_what_runs_beside_ends_before_the_last_step_and_is_shown_together(
    capfd: pytest.CaptureFixture[str],
) -> None:
    beside = [sys.executable, "-c", "import time; print('size'); time.sleep(0.5); print('time'); raise SystemExit(7)"]
    last = [sys.executable, "-c", "print('last')"]
    assert run_steps([exiting(0), [sys.executable, "-c", "print('first')"], last], [exiting(0), beside]) == 7
    out, err = capfd.readouterr()
    assert out == "first\nlast\n"
    assert err.startswith("==> size\n==> time\n==> failed with exit code 7")


def test_what_runs_beside_is_ended_when_the_steps_are_broken_off(tmp_path: Path) -> None:
    beside = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(FileNotFoundError):
        run_steps([[str(tmp_path / "no program")], exiting(0)], [beside, beside])


def test_ctrl_c_lets_the_child_clear_up_and_then_ends_without_a_traceback(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import time\n"
        "try:\n    print('ready', flush=True); time.sleep(30)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.6); print('cleared up', flush=True)\n"
    )
    parent = (
        "import signal, subprocess\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell ignores it
        f"import run\ntry: run.follow(subprocess.Popen([{sys.executable!r}, {str(child)!r}]))\n"
        "except KeyboardInterrupt: print('end')"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout
    assert running.stdout.readline() == "ready\n"
    os.killpg(running.pid, signal.SIGINT)
    assert running.communicate(timeout=20)[0] == "cleared up\nend\n"


def test_ci_runs_the_command_that_the_readme_tells() -> None:
    command = (ROOT / ".ci/run").read_text().strip().splitlines()[-1]
    assert command == "python3 run.py test"
    assert f"\n{command}\n" in (ROOT / "README.md").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
