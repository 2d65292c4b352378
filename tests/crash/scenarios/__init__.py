"""The scenarios: what happens between Kommo, Stripe, reps and clients while something dies or goes wrong."""

from tests.crash.scenarios import accounts, links, money, trouble

ALL = (*money.ALL, *links.ALL, *accounts.ALL, *trouble.ALL)
