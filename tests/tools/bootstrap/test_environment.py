"""The virtual environment is made once, and anew when anything under it changed."""

import threading
import time
from dataclasses import replace

import pytest

from tests.tools.bootstrap.made_up import PYTHON, Shell, having, work_of
from tools.bootstrap.environment import ready_python, trust_unpacked_certificates
from tools.bootstrap.locks import DEV_LOCK, LOCK
from tools.bootstrap.machine import CannotSetUp, Machine


def test_an_environment_is_made_once(capable: Machine, shell: Shell) -> None:
    ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]
    ready_python(capable, LOCK)
    assert work_of(shell) == []


def test_test_packages_are_added_to_the_environment_that_is_there(capable: Machine, shell: Shell) -> None:
    ready_python(capable, LOCK)
    work_of(shell)
    ready_python(capable, DEV_LOCK)
    assert work_of(shell) == [DEV_LOCK]
    ready_python(capable, LOCK)
    assert work_of(shell) == []


def test_a_changed_lock_makes_the_environment_anew(capable: Machine, shell: Shell) -> None:
    ready_python(capable, LOCK)
    work_of(shell)
    (capable.folder / LOCK).write_text("fastapi==2.0\n")
    ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_another_python_makes_the_environment_anew(capable: Machine, shell: Shell) -> None:
    ready_python(capable, LOCK)
    work_of(shell)
    ready_python(replace(capable, python="3.13.5 (made up)"), LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_an_environment_whose_python_has_gone_is_made_anew(capable: Machine, shell: Shell) -> None:
    ready_python(capable, LOCK)
    work_of(shell)
    (capable.folder / PYTHON).unlink()
    ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_a_failed_install_is_not_taken_for_a_finished_one(capable: Machine, shell: Shell) -> None:
    shell.works = ["-m venv"]
    with pytest.raises(CannotSetUp, match="could not be installed"):
        ready_python(capable, LOCK)
    shell.works = ["-m venv", "pip install"]
    work_of(shell)
    ready_python(capable, LOCK)
    assert work_of(shell) == ["made", LOCK]


def test_of_two_runs_at_once_one_installs_and_the_other_waits(capable: Machine, shell: Shell) -> None:
    shell.effects |= {"pip install": lambda: time.sleep(0.2)}
    both = [threading.Thread(target=ready_python, args=(capable, LOCK)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert work_of(shell) == ["made", LOCK]


def test_uv_is_preferred_where_it_is(capable: Machine, shell: Shell) -> None:
    shell.works = ["uv venv", "uv pip install"]
    ready_python(replace(capable, which=having("uv")), DEV_LOCK)
    assert [line.split()[0] for line in shell.heard] == ["/usr/bin/uv", "/usr/bin/uv"]


def test_what_uv_cannot_install_pip_is_asked_for(capable: Machine, shell: Shell) -> None:
    shell.works = ["uv venv", "-m pip install"]
    ready_python(replace(capable, which=having("uv")), DEV_LOCK)
    assert [line.split()[0].rpartition("/")[2] for line in shell.heard] == ["uv", "uv", "python"]


def test_only_packages_with_a_known_hash_are_installed(capable: Machine, shell: Shell) -> None:
    ready_python(capable, LOCK)
    assert "--require-hashes --only-binary :all:" in shell.heard[-1]


def test_a_missing_venv_module_comes_from_apt(machine: Machine, shell: Shell) -> None:
    def module_arrives() -> None:
        shell.works = [*shell.works, "-m venv"]

    shell.works = ["apt-get -qq install", "pip install"]
    shell.effects["apt-get -qq install"] = module_arrives
    ready_python(machine, LOCK)
    assert shell.heard_of("apt-get -qq install")[0].endswith("-venv")


def test_pip_trusts_the_certificates_that_were_unpacked_with_it(machine: Machine) -> None:
    unpacked = machine.private / "root/usr/share/ca-certificates/mozilla"
    certifi = machine.folder / "site/pip/_vendor/certifi"
    for folder in (unpacked, certifi, machine.folder / ".venv"):
        folder.mkdir(parents=True)
    (unpacked / "b.crt").write_text("B\n")
    (unpacked / "a.crt").write_text("A\n")
    (certifi / "core.py").write_text(f"PATH = '{machine.certificates}'\n")
    trust_unpacked_certificates(machine, machine.folder / "site")
    bundle = machine.folder / ".venv/certificates.pem"
    assert (certifi / "core.py").read_text() == f"PATH = '{bundle}'\n"
    assert bundle.read_text() == "A\nB\n"


def test_without_venv_module_and_root_the_message_names_the_package(machine: Machine) -> None:
    bare = replace(machine, superuser=False, which=having())
    with pytest.raises(CannotSetUp, match=r"sudo apt-get install python3\.\d+-venv"):
        ready_python(bare, LOCK)
