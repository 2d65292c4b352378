"""Entry point of ``python -m backend`` and ``kommo-stripe``."""

import os
import sys

from backend.cli.app import command_line

PRIVATE = 0o077


def main() -> None:
    """Run the command line. Files that we create are readable by our user only."""
    os.umask(PRIVATE)  # database, its log and .env hold secrets
    command_line(sys.argv[1:])(prog_name="kommo-stripe")


if __name__ == "__main__":
    main()
