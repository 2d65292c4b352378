"""Run the Dockerfile's steps in an empty folder and prove what they made; ``python3 run.py image``.

``--if-possible`` is for a machine that nobody has prepared: what it lacks is said in one line and is no failure, and
of what ran it prints size, times and the number of promises. What ran and is not as promised is a failure always.
"""

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tools.image.build import BUILD_SECONDS, Built, StepFailed, build
from tools.image.confined import confinement
from tools.image.proof import Differs, Proof
from tools.image.substitutes import Lacking

CHECKOUT = Path(__file__).parents[2]
SHORT_SECONDS = 300.0
"""Longer no test run waits for the steps."""


def main(words: list[str], checkout: Path = CHECKOUT) -> int:
    if_possible = words == ["--if-possible"]
    root = Path(tempfile.mkdtemp(prefix="image-"))
    root.chmod(0o755)  # the container's user comes to its own through it
    try:
        began = time.perf_counter()
        built = build(checkout, root, SHORT_SECONDS if if_possible else BUILD_SECONDS)
        steps, said = _steps(built, time.perf_counter() - began), Proof(built).all()
        print(*(_short(steps, said) if if_possible else [*steps, *said]), sep="\n")
    except Lacking as error:
        print(f"the image's steps were not run, since this machine lacks {error}")
        return 0 if if_possible else 1
    except (StepFailed, Differs) as error:
        print(f"✗ {error}")
        return 1
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0


def _steps(built: Built, seconds: float) -> list[str]:
    ran = [f"ran:       {step}" for step in built.ran]
    read = [f"only read: {step}" for step in built.not_run]
    return [*ran, *read, f"built in {seconds:.0f} s; run {confinement(built)}"]


def _short(steps: list[str], said: list[str]) -> list[str]:
    held = [line for line in said if line.startswith("✓")]
    measured = [line for line in said if line not in held]
    short = [f"the image's steps: {steps[-1]}; {len(held)} promises hold", *(f"  {line}" for line in measured)]
    return [*short, *(f"  {line}" for line in steps if line.startswith("only read"))]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, what was written is removed
    sys.exit(main(sys.argv[1:]))
