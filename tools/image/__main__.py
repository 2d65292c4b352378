"""Run the Dockerfile's steps in an empty folder and prove what they made; ``python3 run.py image``."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tools.image.build import Built, StepFailed, build
from tools.image.confined import can_confine
from tools.image.proof import Differs, Proof

CHECKOUT = Path(__file__).parents[2]


def main() -> int:
    root = Path(tempfile.mkdtemp(prefix="image-"))
    root.chmod(0o755)  # the container's user comes to its own through it
    try:
        began = time.perf_counter()
        built = build(CHECKOUT, root)
        print(*_steps(built, time.perf_counter() - began), *Proof(built).all(), sep="\n")
    except (StepFailed, Differs) as error:
        print(f"✗ {error}")
        return 1
    finally:
        shutil.rmtree(root)
    return 0


def _steps(built: Built, seconds: float) -> list[str]:
    confined = "as the image's user on a read-only file system" if can_confine() else "as this user: not confined here"
    ran = [f"ran:      {step}" for step in built.ran]
    return [*ran, *(f"only read: {step}" for step in built.not_run), f"built in {seconds:.0f} s; run {confined}"]


if __name__ == "__main__":
    sys.exit(main())
