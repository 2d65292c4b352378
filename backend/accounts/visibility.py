"""Which deals a Kommo user may see: the rights that Kommo keeps for the user, applied to one deal.

A stage's right takes the place of the general letter, in both directions. Kommo also shows a deal to users who are
subscribed to its chat; no call of its API says who is, so such a user sees less here than in Kommo, never more.
"""

from backend.kommo_api.values import Lead, User


def sees(user: User, lead: Lead) -> bool:
    """True if Kommo shows the deal to the user."""
    if not user.is_active:
        return False
    letter = user.stage_view.get((lead.pipeline_id, lead.status_id), user.leads_view)
    if user.is_admin or letter == "A":
        return True
    own = lead.responsible_user_id == user.id
    return (own and letter in ("M", "G")) or (letter == "G" and user.group_id == lead.group_id)


def sees_any(user: User) -> bool:
    """True if there can be a deal that Kommo shows to the user."""
    return user.is_active and (user.is_admin or user.leads_view != "D" or "A" in user.stage_view.values())


def sees_all(user: User) -> bool:
    """True if Kommo shows every deal to the user, wherever it stands."""
    return user.is_active and (user.is_admin or (user.leads_view == "A" and "D" not in user.stage_view.values()))
