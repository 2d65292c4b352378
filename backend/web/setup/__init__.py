"""The set-up pages: server-rendered, without scripts, for one account's admin or for the operator."""

from fastapi import APIRouter

from backend.web.setup import doors, forms, operator, view

router = APIRouter(include_in_schema=False)
for module in (doors, view, operator, forms):
    router.include_router(module.router)
