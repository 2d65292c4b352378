"""The topics of set-up and automation, each with its page, form and save."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. ``page``: the section of the navigation; ``forms``: the forms on its page.

    Its template is ``templates/app/topics/{name}.html``, its texts are ``topic_{name}`` and ``topic_{name}_hint``.
    """

    name: str
    page: str
    forms: tuple[str, ...]


TOPICS = (
    Topic("kommo", "setup", ("hook", "keys")),
    Topic("stripe", "setup", ("stripe", "no_stripe")),
    Topic("rights", "setup", ("rights",)),
    Topic("business", "setup", ("business",)),
    Topic("logo", "setup", ("logo", "no_logo")),
    Topic("mode", "setup", ("mode",)),
    Topic("stages", "automation", ("stages",)),
    Topic("due", "automation", ("due",)),
    Topic("sending", "automation", ("sending",)),
    Topic("reminders", "automation", ("reminders",)),
    Topic("bots", "automation", ("bots",)),
    Topic("deals", "automation", ("deals",)),
)
BY_NAME = {one.name: one for one in TOPICS}
BY_FORM = {form: one for one in TOPICS for form in one.forms}


def topics_of(page: str) -> list[Topic]:
    """Return the topics of a section: ``setup`` or ``automation``."""
    return [one for one in TOPICS if one.page == page]
