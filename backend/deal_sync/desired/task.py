"""A task that a deal should have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """For the responsible user, once per fact; closed by us when ``healed``."""

    fact_id: str
    text: str
    due_at: float
    healed: bool
    user_id: int = 0
    """Whose it is; 0: the deal's responsible user's."""
    result: str = "Stripe"
    """What is said when we close it."""
