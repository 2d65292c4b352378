"""Outcomes of a deal's entry into a stage with a rule; those that need a user become a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.i18n import Texts, texts_in

ASKED, USED_AGAIN = "asked", "used_again"
OBSTACLES = (
    "not_connected", "test_untagged", "no_contact", "currency_unknown", "no_price", "no_amount", "nothing_open",
    "too_small", "too_large", "asked_otherwise", "stripe_refused", "too_late", "unclear_entry",
)  # fmt: skip
"""A task for the responsible user names the obstacle, and nothing goes to the client."""
FOLDER = Path(__file__).parent / "i18n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``word`` is one of those above; ``values`` fill its sentence."""

    word: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs_a_person(self) -> bool:
        """True if an obstacle prevented the request, so that a user must act."""
        return self.word in OBSTACLES


def texts(language: str) -> Texts:
    """Return the sentences of tasks and of the card's entries in ``language``, or English if we don't speak it."""
    return texts_in(FOLDER, language)


def sentence(outcome: Outcome, language: str) -> str:
    """Return the sentence for the card and the task."""
    return texts(language).say(outcome.word, **outcome.values)
