"""Packages of the system, with root and without."""

import re
from dataclasses import replace

import pytest

from tests.tools.bootstrap.made_up import Shell, having
from tools.bootstrap.apt import apt_install
from tools.bootstrap.machine import Machine


def test_apt_updates_its_lists_only_where_an_install_failed(machine: Machine, shell: Shell) -> None:
    shell.works = ["install"]
    assert apt_install(machine, "libatomic1")
    shell.works = ["update"]
    assert not apt_install(machine, "libatomic1")
    did = [re.sub(r".*apt-get -qq (\w+).*", r"\1", line) for line in shell.heard]
    assert did == ["install", "install", "update", "install"]


def test_root_needs_no_sudo(machine: Machine, shell: Shell) -> None:
    shell.works = ["install"]
    assert apt_install(machine, "libatomic1")
    assert shell.heard[0].startswith("env DEBIAN_FRONTEND=noninteractive apt-get")


@pytest.mark.parametrize(("person", "beginning"), [(True, "sudo env"), (False, "sudo -n env")])
def test_a_password_is_asked_only_of_a_person(machine: Machine, shell: Shell, person: bool, beginning: str) -> None:
    shell.works = ["install"]
    user = replace(machine, superuser=False, person=person, which=having("apt-get", "sudo"))
    assert apt_install(user, "libatomic1")
    assert shell.heard[0].startswith(beginning)


def test_nothing_is_tried_without_root_and_sudo(machine: Machine, shell: Shell) -> None:
    assert not apt_install(replace(machine, superuser=False), "libatomic1")
    assert shell.heard == []
