"""Pages for finance: the overview, all payments, their CSV file and each payment's story."""

from fastapi import APIRouter

from backend.web.finance import csv_route, overview, payments, story

router = APIRouter()
for module in (overview, payments, csv_route, story):
    router.routes += module.router.routes
