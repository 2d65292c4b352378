"""A task that a deal should have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """A task for the responsible user, one per fact; ``due_at`` in Unix seconds. We close it once it is ``healed``."""

    fact_id: str
    text: str
    due_at: float
    healed: bool
    user_id: int = 0
    """The user it is assigned to; 0: the deal's responsible user."""
    result: str = "Stripe"
    """The result text when we close it."""
