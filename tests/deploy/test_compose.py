"""``compose.yaml`` and ``Dockerfile``, read: they call commands and name settings that the product has."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.cli.app import COMMANDS
from backend.core.config import Settings
from backend.server.lifetime import END_SECONDS
from tools.image.context import allowed
from tools.image.dockerfile import Dockerfile, pairs, read_dockerfile

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
SETTINGS = {name.upper() for name in Settings.model_fields}
BESIDE = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return read_dockerfile(ROOT / "Dockerfile")


def test_every_container_runs_a_command_that_exists() -> None:
    words = {name: [*one.get("entrypoint", [])[1:], *_listed(one.get("command", []))] for name, one in OURS.items()}
    assert {name: words[name][:1] for name in OURS if words[name][0] not in COMMANDS} == {}
    assert set(OURS) == {"init", "migrate", "web", "worker", "one"}


def _listed(command: str | list[str]) -> list[str]:
    return command.split() if isinstance(command, str) else command


def test_every_container_of_ours_may_do_little_and_has_the_time_to_end() -> None:
    for one in OURS.values():
        assert (one["read_only"], one["cap_drop"], one["tmpfs"]) == (True, ["ALL"], "/tmp")
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert int(one["stop_grace_period"].removesuffix("s")) > END_SECONDS


def test_the_containers_are_given_settings_that_exist(dockerfile: Dockerfile) -> None:
    for one in OURS.values():
        assert set(one.get("environment", {})) <= SETTINGS
    image = {name for one in dockerfile.stages[-1].of("ENV") for name in pairs(one.words)}
    assert image - BESIDE <= SETTINGS


def test_only_the_proxys_address_is_believed_and_only_our_processes_reach_the_database() -> None:
    proxy = SERVICES["caddy"]["networks"]["front"]["ipv4_address"]
    assert {SERVICES[name]["environment"]["TRUSTED_PROXIES"] for name in ("web", "one")} == {proxy}
    assert COMPOSE["networks"]["back"]["internal"] is True
    assert {name for name, one in SERVICES.items() if "back" in one.get("networks", [])} == {
        "db", "migrate", "web", "worker",
    }  # fmt: skip
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["caddy"]


def test_no_secret_stands_in_what_is_published(dockerfile: Dockerfile) -> None:
    values = [str(value) for one in SERVICES.values() for value in (one.get("environment") or {}).values()]
    named = [value for value in values if re.search("[a-z0-9]{16,}", value)]
    assert named == []
    assert "SECRET" not in str([one.words for stage in dockerfile.stages for one in stage.of("ENV")])
    assert {"./.env", ".git", "sandbox", "tests"} & set(allowed(ROOT)) == set()


def test_the_build_takes_only_what_is_there(dockerfile: Dockerfile) -> None:
    assert [name for name in allowed(ROOT) if "*" not in name and not (ROOT / name).exists()] == []
    copied = [one.words.split()[:-1] for stage in dockerfile.stages[:-1] for one in stage.of("COPY")]
    assert {name for names in copied for name in names} - set(allowed(ROOT)) == {"${LOCK}"}


def test_the_image_runs_as_a_user_without_rights_and_says_who_it_is(dockerfile: Dockerfile) -> None:
    last = dockerfile.stages[-1]
    assert [one.words for one in last.of("USER")] == ["10001:10001"]
    assert [one.words for one in last.of("STOPSIGNAL")] == ["SIGTERM"]
    labels = {name for one in last.of("LABEL") for name in pairs(one.words)}
    wanted = ("title", "description", "licenses", "version", "revision")
    assert labels == {f"org.opencontainers.image.{name}" for name in wanted}


def test_the_proxy_has_the_limits_that_the_document_gives() -> None:
    told = (ROOT / "docs/operations.md").read_text().partition("```caddyfile\n")[2].partition("```")[0]
    ours = (ROOT / "deploy/Caddyfile").read_text().partition("\n")[2]
    ours = ours.replace("{$PUBLIC_URL}", "pay.example.com").replace("{$PRODUCT:product:8000}", "127.0.0.1:8000")
    assert ours == told
