"""``GET /admin``: one account's page, or for the operator of several the list of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from backend.accounts.install.waiting import waiting_installations
from backend.admin.accounts import list_accounts
from backend.admin.sessions import Visitor
from backend.core.errors import AccountNotFound, ProductError
from backend.core.ids import usable_number
from backend.resources import Resources
from backend.storage.models.payments import InboxEvent
from backend.web.http.deps import ResourcesDep
from backend.web.http.language import preferred
from backend.web.http.pages import page
from backend.web.setup.auth import current_visitor
from backend.web.setup.context import key_form, look_up, shown
from backend.web.setup.login import login_page
from backend.web.setup.operator_page import all_accounts
from backend.web.setup.rendering import with_preview
from backend.web.setup.user_choices import choices, named

router = APIRouter()
LANGUAGES = {"en": "English", "es": "Español", "pt": "Português", "tr": "Türkçe", "id": "Indonesia", "ru": "Русский"}
DONE = {
    "stages": "The stages are saved.",
    "options": "The options are saved.",
    "logo": "The logo is saved.",
    "no_logo": "The logo is removed.",
    "stripe": "Stripe is connected.",
    "no_stripe": "The Stripe connection is removed.",
    "attach": "The payment is attached; its deal is being written.",
    "move": "The deal is being moved.",
    "hook": "There is a new address for the Digital Pipeline and for bots.",
    "again": "The events are worked in again.",
}


@dataclass(frozen=True, slots=True)
class PageState:
    """What one view of the page shows besides the account: a question about a deal, or how a form came out."""

    done: str = ""
    """The form that was saved, a key of ``DONE``."""
    deal: str = ""
    """The deal asked about, as it was typed."""
    language: str = "en"
    """Of the reason why that deal is not paid: an admin passes it on."""
    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    """What ``form`` held, never a key."""
    error: ProductError | None = None
    """Shown beside the field of ``form`` that it names."""
    warning: str = ""

    @property
    def lead_id(self) -> int:
        """0 where ``deal`` is no id of a deal."""
        return usable_number(self.deal) or 0


@router.get("/admin")
async def admin(
    request: Request,
    resources: ResourcesDep,
    account: Annotated[str, Query(max_length=20)] = "",
    deal: Annotated[str, Query(max_length=30)] = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    visitor = await current_visitor(request)
    if visitor is None:
        return login_page()
    language = preferred(request.headers.get("accept-language", ""))
    try:
        account_id = await chosen_account(resources, visitor, account)
        if account_id is None:
            return await all_accounts(resources)
        return await account_page(resources, visitor, account_id, PageState(done=done, deal=deal, language=language))
    except ProductError as error:
        return page("Set-up", error.message, status=error.status)


async def chosen_account(resources: Resources, visitor: Visitor, named: str) -> int | None:
    """The visitor's own, or the one that the operator names; the only one there is needs no name."""
    number = usable_number(named)
    if named and number is None:
        raise AccountNotFound("An account of Kommo is a number.")
    if number is not None:
        visitor.check(number)
    if visitor.account_id is not None or number is not None:
        return visitor.account_id or number
    known = await list_accounts(resources)
    return known[0]["account_id"] if len(known) == 1 else None


async def account_page(resources: Resources, visitor: Visitor, account_id: int, state: PageState) -> Response:
    found = await shown(resources, account_id)
    if found is None:
        raise AccountNotFound(f"No Kommo account {account_id} is connected here.")
    return with_preview(
        "setup.html",
        state.error.status if state.error else 200,
        is_operator=visitor.account_id is None,
        installations=await waiting_installations(resources) if visitor.account_id is None else None,
        found=found,
        options=found.row["options"],
        choices=partial(choices, found.team.users),
        named=partial(named, found.team.users),
        languages=LANGUAGES,
        key_forms={mode: key_form(mode) for mode in ("live", "test")},
        done=DONE.get(state.done, ""),
        warning=state.warning,
        error=state.error,
        form=state.form,
        typed=state.typed,
        deal=state.deal,
        looked_up=await look_up(resources, account_id, state.lead_id, state.language) if state.lead_id else None,
        reason=_reason,
    )


def _reason(event: InboxEvent) -> str:
    return event.error or "It waits for what it belongs to."
