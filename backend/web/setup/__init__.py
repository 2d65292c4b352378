"""The set-up pages: server-rendered, without scripts, for one account's admin or for the operator."""

from fastapi import APIRouter

from backend.web.setup import account_page, forms, login, operator_page

router = APIRouter(include_in_schema=False)
for module in (login, account_page, operator_page, forms):
    router.include_router(module.router)
