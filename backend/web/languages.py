"""Which of our six languages a browser asks for."""

from backend.languages import LANGUAGES


def preferred(accept_language: str) -> str:
    """The best of ``Accept-Language`` that we speak; English where there is none."""
    best = max(_wishes(accept_language), default=(0.0, 0, "en"))
    return best[2]


def _wishes(header: str) -> list[tuple[float, int, str]]:
    """(quality, earlier first, language) of what we speak and is not refused."""
    wishes = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, quality = part.strip().partition(";q=")
        language = name.split("-")[0].strip().lower()
        try:
            wish = float(quality or 1)
        except ValueError:
            continue
        if language in LANGUAGES and wish > 0:
            wishes.append((wish, -place, language))
    return wishes
