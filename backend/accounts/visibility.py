"""Which deals a Kommo user may see: the user's rights in Kommo, applied to one deal (docs/facts/kommo-api.md 11.1).

A stage's right replaces the general letter, in both directions. Kommo also shows a deal to users who are subscribed to
its chat; no API call lists them, so such a user sees less here than in Kommo, never more.
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
    """True if Kommo shows every deal to the user, whatever its stage."""
    return user.is_active and (user.is_admin or (user.leads_view == "A" and "D" not in user.stage_view.values()))
