"""``python -m backend`` and ``kommo-stripe``."""

import os

from backend.cli import app

PRIVATE = 0o077


def main() -> None:
    os.umask(PRIVATE)  # database, its log, .env: what we write is for the user we run as
    app(prog_name="kommo-stripe")


if __name__ == "__main__":
    main()
