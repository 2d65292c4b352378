"""The frame around each page of the app: navigation, account, language and time zone."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from backend.accounts.lookup import account_of
from backend.admin.accounts import list_accounts
from backend.admin.sessions import Visitor
from backend.core.errors import AccountNotFound
from backend.core.i18n import short_moment
from backend.core.ids import usable_number
from backend.core.money import Money, shown
from backend.core.sentences.said import said
from backend.resources import Resources
from backend.storage.models import Account
from backend.web.frame.rendering import say, with_script
from backend.web.http.language import of_page


@dataclass(frozen=True, slots=True)
class Place:
    """A section in the navigation; ``finance``: users of finance may see it."""

    name: str
    path: str
    finance: bool = False


PLACES = (
    Place("overview", "/admin", finance=True),
    Place("payments", "/admin/payments", finance=True),
    Place("automation", "/admin/automation"),
    Place("setup", "/admin/setup"),
    Place("events", "/admin/events"),
)


@dataclass(frozen=True)
class Frame:
    """What a page needs besides its own data.

    ``place``: the name of the current section. ``account`` is read once per page.
    """

    visitor: Visitor
    account: Account
    place: str
    language: str

    def say(self, name: str, /, **values: object) -> str:
        """Return a text by its name with ``values`` filled in."""
        return say(self.language, name, **values)

    @property
    def places(self) -> list[Place]:
        """The sections that this visitor may see."""
        return [one for one in PLACES if one.finance or self.visitor.may_change]

    def at(self, path: str, **query: object) -> str:
        """Return the address of a page of ours with a query; for the operator it names the account."""
        named: dict[str, object] = {"account": self.account.id} if self.visitor.is_operator else {}
        asked = urlencode(named | {name: value for name, value in query.items() if value not in (None, "")})
        return f"{path}?{asked}" if asked else path

    def moment(self, seconds: float) -> str:
        """Return epoch seconds as a short date and time in the account's time zone."""
        return short_moment(seconds, self.account.timezone, self.language)

    def money(self, amount: int, currency: str) -> str:
        """Return an amount in minor units as text in the page's language."""
        return shown(Money(amount, currency), self.language)

    def deal_url(self, lead_id: int) -> str:
        """Return the address of a deal in Kommo."""
        return f"{self.account.base_url}/leads/detail/{lead_id}"

    def render(self, template: str, status: int = 200, **shown_there: object) -> Response:
        """Return the page from a template; it also gets ``frame``."""
        return with_script(template, status, language=self.language, frame=self, **shown_there)


async def frame_of(
    request: Request, resources: Resources, visitor: Visitor, place: str, account: str = ""
) -> Frame | None:
    """Return the frame of a page, None if the operator must choose an account first.

    Raises ``AccountNotFound``, or ``NotAllowed`` for another account than the visitor's.
    """
    account_id = await chosen_account(resources, visitor, account)
    if account_id is None:
        return None
    async with resources.database.read() as session:
        row = await account_of(session, account_id, lock=False)
    return Frame(visitor, row, place, of_page(request))


async def chosen_account(resources: Resources, visitor: Visitor, named: str) -> int | None:
    """Return the id of the visitor's account, or of the one that the operator names; None if the operator must choose.

    The only connected account needs no name. Raises ``AccountNotFound`` for text that is no number, ``NotAllowed`` for
    another account than the visitor's.
    """
    number = usable_number(named)
    if named and number is None:
        raise AccountNotFound(said("account_by_number"))
    if number is not None:
        visitor.check(number)
    if visitor.account_id is not None or number is not None:
        return visitor.account_id or number
    known = await list_accounts(resources)
    return known[0]["account_id"] if len(known) == 1 else None


def all_accounts_page() -> Response:
    """Return a redirect to the operator's list of accounts."""
    return RedirectResponse("/admin/accounts", 303, headers={"Cache-Control": "no-store"})
