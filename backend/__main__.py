"""Entry point of ``python -m backend`` and ``kommo-stripe``."""

import gc
import os
import sys

from backend.cli.app import command_line

PRIVATE = 0o077


def main() -> None:
    """Run the command line. Files that we create are readable by our user only."""
    os.umask(PRIVATE)  # database, its log and .env hold secrets
    try:
        command_line(sys.argv[1:])(prog_name="kommo-stripe")
    finally:
        gc.freeze()  # the last pass over all imported modules takes 0.2 s and frees nothing that the exit does not


if __name__ == "__main__":
    main()
