"""The sentences of notes and tasks."""

from pathlib import Path

from backend.core.i18n import LANGUAGES, Texts, texts_in

__all__ = ["LANGUAGES", "Texts", "texts"]

FOLDER = Path(__file__).parent / "i18n"


def texts(language: str) -> Texts:
    """The sentences in ``language``."""
    return texts_in(FOLDER, language)
