"""The scenarios: what happens between Kommo, Stripe, reps and clients while something dies or goes wrong."""

from tests.crash.scenarios import accounts, bots, chases, links, money, sendings, stages, trouble

ALL = (*money.ALL, *links.ALL, *accounts.ALL, *trouble.ALL, *stages.ALL, *sendings.ALL, *chases.ALL, *bots.ALL)
_NAMED = (
    "first payment", "three events of one payment", "refund", "refund from the card", "batch of 20", "token refresh",
    "install", "renewal", "deleted deal in a batch", "429 storm", "uninstall and back",
    "link opened while its session expires",
)  # fmt: skip
TWELVE = tuple(scenario for scenario in ALL if scenario.name in _NAMED)
"""What must hold in every sweep; the others add ways of their own in the widest one."""
MEDDLED = frozenset(("three events of one payment", "refund", "dispute", "renewal", "deleted deal in a batch"))
"""Where a person's deed is meaningful: the deal is there before anything happens to it."""
