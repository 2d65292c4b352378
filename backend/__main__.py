"""``python -m backend`` and ``kommo-stripe``."""

import os
import sys

from backend.cli.app import command_line

PRIVATE = 0o077


def main() -> None:
    os.umask(PRIVATE)  # database, its log, .env: what we write is for the user we run as
    command_line(sys.argv[1:])(prog_name="kommo-stripe")


if __name__ == "__main__":
    main()
