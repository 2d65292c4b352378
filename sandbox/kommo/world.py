"""A Kommo that stands still or moves as it is told: accounts, integrations, and everything they were given."""

from collections.abc import Mapping

from backend.core.clock import Clock
from sandbox.kommo.accounts import jwts
from sandbox.kommo.accounts.account import Account, NotThere
from sandbox.kommo.accounts.grants import (
    ACCESS_LIFE,
    CODE_LIFE,
    ONE_TIME_CACHE,
    ONE_TIME_LIFE,
    REFRESH_LIFE,
    Code,
    Integration,
    Pair,
    Wallet,
)
from sandbox.kommo.accounts.person import Person
from sandbox.kommo.accounts.seed import furnish, populate
from sandbox.kommo.ids import Ids
from sandbox.kommo.outbox import Outbox
from sandbox.kommo.records import User
from sandbox.kommo.switches import Switches
from sandbox.kommo.traffic.faults import Faults
from sandbox.kommo.traffic.limits import Limits
from sandbox.kommo.traffic.log import CallRecord, Sent


class KommoWorld:
    """All state of the fake. ``base_url`` is set by whoever serves it (no trailing slash), before the first request.

    ``kommo_hosts``: redirects name ``{subdomain}.kommo.com`` in ``referer``, not the host the world is served at.
    ``latency``: real seconds Kommo takes for any call. ``requests``: what it was asked. ``sent``: its own hooks.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        switches: Mapping[str, str] | None = None,
        seed: int | None = None,
        kommo_hosts: bool = False,
    ) -> None:
        self.clock = clock
        self.switches = Switches(switches)
        self.ids = Ids(seed or 0)
        self.kommo_hosts = kommo_hosts
        self.base_url = ""
        self.accounts: dict[int, Account] = {}
        self.former_subdomains: set[str] = set()
        self.integrations: dict[str, Integration] = {}
        self.wallet = Wallet()
        self.faults = Faults()
        self.limits = Limits(clock, self.switches)
        self.requests: list[CallRecord] = []
        self.sent: list[Sent] = []
        self.outbox = Outbox()
        self.latency = 0.0
        self._one_time: dict[tuple[str, int], tuple[float, str]] = {}
        populate(self.add_account("acme"))

    @property
    def account(self) -> Account:
        """The first account, the one a world starts with."""
        return next(iter(self.accounts.values()))

    def add_account(self, subdomain: str, *, currency: str = "USD", timezone: str = "America/New_York") -> Account:
        """An account as Kommo makes it: one admin, one pipeline, no deals."""
        made = Account(
            self.ids.next("account"), subdomain, self, name=subdomain.title(), currency=currency, timezone=timezone
        )
        made.amojo_id = self.ids.uuid()
        furnish(made)
        self.accounts[made.id] = made
        return made

    def add_integration(self, account: Account, redirect_uri: str, *, disable_uri: str | None = None) -> Integration:
        """A private integration of ``account``; its keys are in the answer."""
        made = Integration(
            client_id=self.ids.uuid(),
            client_secret=self.ids.text(64),
            account_id=account.id,
            redirect_uri=redirect_uri,
            disable_uri=disable_uri,
            widget_code=f"widget_{self.ids.text(10)}",
        )
        self.integrations[made.client_id] = made
        return made

    def account_of_lead(self, lead_id: int) -> Account:
        found = next((account for account in self.accounts.values() if lead_id in account.leads), None)
        if found is None:
            raise NotThere(f"lead {lead_id}")
        return found

    def person(self, account: Account | None = None, user_id: int | None = None) -> Person:
        """Somebody at the screen, by default the admin of the first account."""
        where = account or self.account
        return Person(where, user_id or where.admin.id)

    def rename_subdomain(self, account: Account, subdomain: str) -> None:
        """The old host stops answering for this account."""
        self.former_subdomains.add(account.subdomain)
        account.subdomain = subdomain

    def account_of(self, client_id: str) -> Account:
        return self.accounts[self.integrations[client_id].account_id]

    def host_of(self, account: Account) -> str:
        """What ``referer`` says: the host API requests of this account go to."""
        if self.kommo_hosts or not self.base_url:
            return f"{account.subdomain}.kommo.com"
        return self.base_url.partition("://")[2]

    def is_other_host(self, host: str, account: Account) -> bool:
        """Does ``host`` name an account, and not this one? One that was renamed is not found by its old name either."""
        label, dot, _ = host.partition(".")
        named = {one.subdomain for one in self.accounts.values()} | self.former_subdomains
        return bool(dot) and label in named and label != account.subdomain

    @property
    def one_time_seconds(self) -> float:
        """How long the host uses one token: 25 minutes of 30."""
        life = ONE_TIME_LIFE[self.switches["one_time_life"]]
        return life * ONE_TIME_CACHE if self.switches.reads("one_time_cache", "25_minutes") else 0.0

    def one_time_token(self, client_id: str, user_id: int) -> str:
        """The widget's ``X-Auth-Token`` of this user; the host keeps one for a while and uses it for many calls."""
        made_at, token = self._one_time.get((client_id, user_id), (0.0, ""))
        if token and self.clock() < made_at + self.one_time_seconds:
            return token
        account = self.account_of(client_id)
        token = jwts.one_time_token(account, self.integrations[client_id], account.users[user_id])
        self._one_time[client_id, user_id] = (self.clock(), token)
        return token

    def issue_code(self, client_id: str, user_id: int | None = None) -> str:
        """An authorization code, as the integration's window shows it and as redirects carry it."""
        user = user_id or self.account_of(client_id).admin.id
        code = Code(f"def502{self.ids.text(700)}", client_id, user, self.clock())
        self.wallet.codes[code.text] = code
        self.integrations[client_id].installed = True
        return code.text

    def renew_secret(self, client_id: str) -> str:
        """A new secret key; every access granted under the old one is gone."""
        self.wallet.revoke(client_id)
        self.integrations[client_id].client_secret = self.ids.text(64)
        self._one_time = {key: held for key, held in self._one_time.items() if key[0] != client_id}
        return self.integrations[client_id].client_secret

    def issue_pair(self, client_id: str, user_id: int) -> Pair:
        """A new access and refresh token of this user."""
        return self._keep(client_id, user_id, f"def502{self.ids.text(900)}", ACCESS_LIFE)

    def long_lived_token(self, client_id: str, days: int = 365) -> str:
        """An admin's token of 1 day to 5 years, without a refresh token."""
        self.integrations[client_id].installed = True
        return self._keep(client_id, self.account_of(client_id).admin.id, None, days * 86400).access

    def _keep(self, client_id: str, user_id: int, refresh: str | None, life: float) -> Pair:
        account, integration = self.account_of(client_id), self.integrations[client_id]
        api_domain = "api-c.kommo.com" if self.kommo_hosts else self.host_of(account)
        access = jwts.access_token(account, integration, user_id, api_domain, life)
        now = self.clock()
        pair = Pair(access, refresh, client_id, account.id, user_id, now, now + life)
        self.wallet.keep(pair)
        return pair

    def code_is_live(self, code: Code) -> bool:
        return not code.used and self.clock() < code.made_at + CODE_LIFE

    def refresh_is_live(self, pair: Pair) -> bool:
        return not pair.revoked and self.clock() < pair.made_at + REFRESH_LIFE

    def access_is_live(self, pair: Pair) -> bool:
        return not pair.access_revoked and self.clock() < pair.access_until and self.user_of(pair).is_active

    def user_of(self, pair: Pair) -> User:
        return self.accounts[pair.account_id].users[pair.user_id]
