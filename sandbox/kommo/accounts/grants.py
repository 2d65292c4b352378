"""Integrations, their codes and tokens: who may do what, for how long."""

from dataclasses import dataclass, field

CODE_LIFE = 20 * 60
ACCESS_LIFE = 24 * 3600
REFRESH_LIFE = 90 * 24 * 3600
ONE_TIME_LIFE = {"30_minutes": 30 * 60, "15_minutes": 15 * 60}
ONE_TIME_CACHE = 5 / 6
"""Of its life the host uses a token: 25 of 30 minutes."""
SCOPES = ("crm", "notifications", "push_notifications", "files", "files_delete")


@dataclass
class Integration:
    """A private integration of one account, as its *Keys and scopes* tab shows it."""

    client_id: str
    client_secret: str
    account_id: int
    redirect_uri: str
    disable_uri: str | None = None
    name: str = "Stripe payments"
    scopes: tuple[str, ...] = SCOPES
    installed: bool = False
    widget_code: str = ""


@dataclass
class Code:
    """An authorization code: 20 minutes, one use."""

    text: str
    client_id: str
    user_id: int
    made_at: float
    used: bool = False


@dataclass
class Pair:
    """An access token and its refresh token; a long-lived token has no refresh token.

    ``follower`` is the pair this one was exchanged for, ``seen`` becomes true when either token is used.
    """

    access: str
    refresh: str | None
    client_id: str
    account_id: int
    user_id: int
    made_at: float
    access_until: float
    revoked: bool = False
    access_revoked: bool = False
    seen: bool = False
    follower: "Pair | None" = None


@dataclass
class Wallet:
    """All codes and pairs ever given, findable by the token's text."""

    codes: dict[str, Code] = field(default_factory=dict)
    by_access: dict[str, Pair] = field(default_factory=dict)
    by_refresh: dict[str, Pair] = field(default_factory=dict)

    def keep(self, pair: Pair) -> None:
        self.by_access[pair.access] = pair
        if pair.refresh:
            self.by_refresh[pair.refresh] = pair

    def revoke(self, client_id: str) -> None:
        """Everything an integration was given dies, unused codes too."""
        for pair in self.by_access.values():
            if pair.client_id == client_id:
                pair.revoked = pair.access_revoked = True
        for code in self.codes.values():
            code.used = code.used or code.client_id == client_id
