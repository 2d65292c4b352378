"""Pages of the set-up, and of the operator: rendered on the server, usable without the script."""

from fastapi import APIRouter

from backend.web.frame import files, login
from backend.web.setup import account_page, deal_page, events_page, forms, operator_page, test_page, unmatched_page

router = APIRouter()
for module in (files, login, test_page, account_page, deal_page, unmatched_page, events_page, operator_page, forms):
    router.routes += module.router.routes
