"""Pages for finance: the overview, all payments, their CSV file and each payment's story."""

from fastapi import APIRouter

from backend.web.finance import csv_route, overview, payments, story

router = APIRouter(include_in_schema=False)
for module in (overview, payments, csv_route, story):
    router.include_router(module.router)
