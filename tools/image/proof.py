"""The installed product, proven command by command: what each answers, how long it takes, and what it gives away."""

import json
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.image.build import Built
from tools.image.confined import start

START_SECONDS = 60.0
STOP_SECONDS = 25.0
"""What compose.yaml and the units give."""
KEY = re.compile(rb"\b(?:sk|rk)_(?:live|test)_\w{16}|\bwhsec_\w{16}|-----BEGIN [A-Z ]*PRIVATE KEY")
OURS = ("backend/", "kommo_stripe-")


class Differs(Exception):
    """Something is not as promised."""


@dataclass
class Proof:
    """What was looked at, in words with numbers."""

    built: Built
    port: int = field(default_factory=lambda: _free_port())
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets = {"SECRET_KEYS": secrets.token_urlsafe(32), "ADMIN_TOKEN": secrets.token_urlsafe(24)}

    @property
    def _log(self) -> Path:
        return self.built.root / "log"

    @property
    def settings(self) -> dict[str, str]:
        return self.secrets | {"PUBLIC_URL": f"http://127.0.0.1:{self.port}", "PORT": str(self.port)}

    def all(self) -> list[str]:
        for look in (self.wheel, self.size, self.commands, self.serve, self.worker):
            look()
        return self.said

    def wheel(self) -> None:
        with zipfile.ZipFile(self.built.wheel) as archive:
            names = archive.namelist()
        strange = [name for name in names if not name.startswith(OURS)]
        self._hold("the wheel holds the product alone", not strange, strange)
        self._hold("no sandbox, no tests, no settings in it", not _unwanted(names), _unwanted(names))
        self.said.append(f"wheel: {len(names)} files, {self.built.wheel.stat().st_size / 1e6:.1f} MB")

    def size(self) -> None:
        files = [path for path in self.built.product.rglob("*") if path.is_file() and not path.is_symlink()]
        found = _unwanted([str(path.relative_to(self.built.product)) for path in files if "backend" in path.parts])
        self._hold("no sandbox is installed", not found, found)
        self._hold("no secret is installed", not self._keys_in(files), self._keys_in(files))
        self.said.append(f"installed: {sum(path.stat().st_size for path in files) / 1e6:.0f} MB in {len(files)} files")

    def commands(self) -> None:
        """From an empty folder to a server that only lacks Kommo and Stripe."""
        url = f"http://127.0.0.1:{self.port}"
        for words, code in (
            (["--help"], 0),
            (["init", "--systemd", "--public-url", url], 0),
            (["widget", "build", "--out", "again.zip"], 0),
            (["migrate"], 0),
            (["migrate"], 0),
            (["doctor", "--json"], 1),
            (["worker", "--once"], 0),
        ):
            began = time.perf_counter()
            given = {} if words[0] in ("--help", "init", "widget") else self.secrets | {"PUBLIC_URL": url}
            done = self._run(words, given)
            self._hold(f"`{' '.join(words[:2])}` ends with {code}", done[0] == code, done[1])
            self.said.append(f"{' '.join(words[:2])}: {time.perf_counter() - began:.1f} s")
            if words[0] == "doctor":
                found = {one["what"]: one["ok"] for one in map(json.loads, done[1].splitlines())}
                self._hold("the doctor finds the database well and Kommo missing", found["database"], found)
        written = {path.name for path in self.built.data.iterdir()}
        wanted = {".env", "widget.zip", "again.zip", "kommo-stripe-web.service", "kommo-stripe-worker.service"}
        self._hold("init wrote .env, widget.zip and the units", wanted <= written, written)
        (self.built.data / ".env").unlink()

    def serve(self) -> None:
        with self.running("serve") as served:
            self._hold("the image's health check passes", not self.health(), "it does not")
            where = _get(f"{self.settings['PUBLIC_URL']}/")
            self._hold("a person is told what this is", "Kommo" in where, where[:200])
            self._shows_nothing(served)

    def worker(self) -> None:
        with self._started("worker") as (process, began):
            self._wait(process, "worker started", lambda: "worker started" in self._log.read_text(), began)
            self._shows_nothing(process)

    @contextmanager
    def running(self, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        """The web until the end of the block; it is ready, it stops in time, and its log gives nothing away."""
        with self._started(*words, **more) as (process, began):
            for path in ("/healthz", "/readyz"):
                self._wait(process, f"{path} answers 200", lambda path=path: self._answers(path), began)  # type: ignore[misc]
            yield process

    @contextmanager
    def _started(self, *words: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], float]]:
        """The process and when it began."""
        began = time.perf_counter()
        with self._log.open("w") as to:
            process = start(self.built, ["kommo-stripe", *words], self.settings | more, stdout=to, stderr=to)
            try:
                yield process, began
            finally:
                self._stop(process, words[0])
        self._hold(f"no secret in the log of `{words[0]}`", not self._given_away(self._log.read_text()), "there is")

    def health(self) -> int:
        """The exit code of HEALTHCHECK's own command."""
        (check,) = self.built.last.of("HEALTHCHECK")
        return start(self.built, check.exec_form, self.settings, stderr=subprocess.DEVNULL).wait(STOP_SECONDS)

    def _run(self, words: list[str], given: dict[str, str]) -> tuple[int, str]:
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        process = start(self.built, ["kommo-stripe", *words], given, **how)
        try:
            told, failed = process.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise Differs(f"`{words[0]}` does not end within {START_SECONDS:.0f} s") from error
        return process.returncode, told or failed

    def _wait(self, process: subprocess.Popen[str], what: str, holds: Callable[[], bool], began: float) -> None:
        while time.perf_counter() - began < START_SECONDS and process.poll() is None:
            if holds():
                self.said.append(f"{what} after {time.perf_counter() - began:.1f} s")
                return
            time.sleep(0.05)
        raise Differs(f"not seen: {what}: {self._log.read_text()[-2000:]}")

    def _answers(self, path: str) -> bool:
        try:
            _get(f"{self.settings['PUBLIC_URL']}{path}")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def _stop(self, process: subprocess.Popen[str], what: str) -> None:
        began = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise Differs(f"SIGTERM does not end `{what}` within {STOP_SECONDS:.0f} s") from error
        self._hold(f"SIGTERM ends `{what}` with 0", code == 0, code)
        self.said.append(f"{what} ended {time.perf_counter() - began:.1f} s after SIGTERM")

    def _shows_nothing(self, process: subprocess.Popen[str]) -> None:
        """Anybody on the machine reads a process's arguments."""
        listed = Path(f"/proc/{process.pid}/cmdline")
        if not listed.exists():
            self.said.append("only read: the process list, which this system has in no file")
            return
        shown = listed.read_text()
        self._hold("no secret in the process list", not self._given_away(shown), shown)

    def _keys_in(self, files: list[Path]) -> list[str]:
        """Files of ours that hold a key of Stripe's or a private key."""
        ours = [path for path in files if "backend" in path.parts and path.suffix != ".pyc"]
        return [str(path) for path in ours if KEY.search(path.read_bytes())]

    def _given_away(self, text: str) -> list[str]:
        return [name for name, value in self.secrets.items() if value in text]

    def _hold(self, promise: str, holds: object, found: object) -> None:
        if not holds:
            raise Differs(f"{promise}: {found}")
        self.said.append(f"✓ {promise}")


def _unwanted(names: list[str]) -> list[str]:
    return [name for name in names if re.search(r"sandbox/|tests?/|\.env$|\.db$", name)]


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (our own server)
        return str(answer.read().decode())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
