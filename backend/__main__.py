"""``python -m backend`` and ``kommo-stripe``."""

from backend.cli import app


def main() -> None:
    app(prog_name="kommo-stripe")


if __name__ == "__main__":
    main()
