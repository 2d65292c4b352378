"""The settings, from the environment or ``.env``. Only entry points read them; all other
code gets values as arguments."""

import re
import string
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from backend.core.sentences.said import said
from backend.core.sources.files import BadSettings, SettingFiles

__all__ = ["BadSettings", "Settings", "StageRule", "parse_stages", "read_settings", "wrong_key"]

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
StageRule = tuple[int, int]
"""A Kommo pipeline id and the id of its stage for paid deals."""
SHORTEST_TOKEN = 20
"""The least number of characters of ADMIN_TOKEN."""
BLANKS = string.whitespace + "\u00a0\u200b\ufeff"
"""Whitespace, including what web pages and editors add: no-break space, zero-width space, byte order mark."""


class Settings(BaseSettings):
    """The settings: one field for each row of the README's table, whose names are upper-case."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore")

    public_url: str
    database_url: str = "sqlite+aiosqlite:///./kommo-stripe.db"
    secret_keys: Annotated[list[SecretStr], NoDecode]
    admin_token: SecretStr
    kommo_client_id: str = ""
    kommo_client_secret: SecretStr = SecretStr("")
    kommo_redirect_uri: str = ""
    kommo_base_url: str = "https://{subdomain}.kommo.com"
    kommo_oauth_url: str = "https://www.kommo.com/oauth"
    kommo_long_lived_token: SecretStr = SecretStr("")
    kommo_subdomain: str = ""
    stripe_api_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_api_base: str = "https://api.stripe.com"
    paid_stages: Annotated[list[StageRule] | str, NoDecode] = Field(default_factory=list)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    trusted_proxies: Annotated[list[str], NoDecode] = Field(default_factory=list)
    kommo_rate: float = Field(default=6.0, gt=0, le=6.9)
    kommo_ip_rate: float = Field(default=7.0, gt=0)
    keep_events_days: int = Field(default=35, ge=31)
    state_dir: str = ""
    settle_seconds: float = Field(default=120.0, ge=0)
    log_format: str = Field(default="console", pattern="^(console|json)$")
    traces: str = Field(default="", pattern="^(otlp)?$")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the way in which Pydantic calls it)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources by priority: arguments, the environment, ``.env``. ``NAME_FILE`` may
        name a file with the value."""
        return init_settings, SettingFiles(settings_cls, env_settings, dotenv_settings), env_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _trimmed(cls, given: Any) -> Any:
        """Strip blanks: a mounted secret ends with a line break, and a blank after a pasted one is invisible."""
        return {name: _without_blanks(value) for name, value in given.items()} if isinstance(given, dict) else given

    @field_validator("public_url", "kommo_base_url", "kommo_oauth_url", "stripe_api_base")
    @classmethod
    def _address(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not re.match(r"(sqlite\+aiosqlite:///|postgresql(\+psycopg)?://)", value):
            raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+psycopg://")
        try:
            make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError("must be an address such as postgresql+psycopg://user:password@host/name") from None
        return value

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: Any) -> Any:
        return [key.strip() for key in value.split(",") if key.strip()] if isinstance(value, str) else value

    @field_validator("secret_keys")
    @classmethod
    def _long_keys(cls, value: list[SecretStr]) -> list[SecretStr]:
        if not value:
            raise ValueError("is empty; `kommo-stripe init` makes one")
        if any(len(key.get_secret_value()) < 16 for key in value):
            raise ValueError("holds a key of fewer than 16 characters; `kommo-stripe init` makes a good one")
        return value

    @field_validator("admin_token")
    @classmethod
    def _long_token(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"needs at least {SHORTEST_TOKEN} characters; `kommo-stripe init` makes a good one")
        return value

    @field_validator("stripe_api_key")
    @classmethod
    def _key_of_a_server(cls, value: SecretStr) -> SecretStr:
        if wrong := wrong_key(value.get_secret_value()):
            raise ValueError(wrong)
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _signing_secret(cls, value: SecretStr) -> SecretStr:
        given = [one.strip() for one in value.get_secret_value().split(",") if one.strip()]
        if not all(one.startswith("whsec_") for one in given):
            raise ValueError("must begin with whsec_: Stripe shows it at the endpoint, as its signing secret")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _proxies(cls, value: Any) -> Any:
        return _networks(value) if isinstance(value, str) else value

    @field_validator("paid_stages", mode="before")
    @classmethod
    def _stage_rules(cls, value: Any) -> Any:
        return parse_stages(value) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _public_is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://pay.example.com")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must begin with https:// (plain http is for a loopback host only)")
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if bool(self.kommo_client_id) != bool(self.kommo_client_secret.get_secret_value()):
            raise ValueError("KOMMO_CLIENT_ID and KOMMO_CLIENT_SECRET belong together; one of them is missing")
        if self.kommo_long_lived_token.get_secret_value() and not self.kommo_subdomain:
            raise ValueError("KOMMO_LONG_LIVED_TOKEN needs KOMMO_SUBDOMAIN as well")
        return self

    @property
    def redirect_uri(self) -> str:
        """The OAuth callback address that Kommo knows; by default it is derived from PUBLIC_URL."""
        return self.kommo_redirect_uri or f"{self.public_url}/oauth/kommo/callback"

    @property
    def webhook_secrets(self) -> list[str]:
        """The Stripe signing secrets, [] without any; STRIPE_WEBHOOK_SECRET separates several by commas."""
        return [s.strip() for s in self.stripe_webhook_secret.get_secret_value().split(",") if s.strip()]

    @property
    def keys(self) -> list[str]:
        """The secret keys, newest first: the first one encrypts, each of them decrypts."""
        return [key.get_secret_value() for key in self.secret_keys]


def wrong_key(key: str) -> str:
    """Return what is wrong with a Stripe API key, as a predicate for a sentence; '' for a server's key or none."""
    if not key or re.match(r"[sr]k_(test|live)_\S", key):
        return ""
    if key.startswith("pk_"):
        return said("wrong_key_publishable")
    return said("wrong_key_webhook" if key.startswith("whsec_") else "wrong_key_prefix")


def _without_blanks(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return SecretStr(value.get_secret_value().strip(BLANKS))
    return value.strip(BLANKS) if isinstance(value, str) else value


def parse_stages(text: str) -> list[StageRule] | str:
    """Return ``"won"``, or the rules of a text such as ``pipeline_id:status_id,…``; an empty text gives none.

    Without a rule no deal is moved until an admin chooses a stage. Raises ``ValueError``.
    """
    if text.strip() == "won":
        return "won"
    rules = [rule.strip() for rule in text.split(",") if rule.strip()]
    if not all(re.fullmatch(r"\d+:\d+", rule) for rule in rules):
        raise ValueError("must be `won` or pairs such as 4711:142,4712:142 (pipeline id : status id)")
    pairs = [rule.split(":") for rule in rules]
    return [(int(pipeline), int(status)) for pipeline, status in pairs]


def _networks(text: str) -> list[str]:
    """Return the addresses and networks of a comma-separated text. Raises ``ValueError``."""
    named = [one.strip() for one in text.split(",") if one.strip()]
    for one in named:
        try:
            ip_network(one)
        except ValueError:
            raise ValueError(f"holds {one!r}; write addresses or networks such as 10.0.0.7,10.1.0.0/16") from None
    return named


def read_settings(env_file: Path | None = Path(".env"), **given: Any) -> Settings:
    """Return the checked settings. Raises ``BadSettings``, whose text names each missing or wrong one."""
    try:
        return Settings(_env_file=env_file, **given)
    except ValidationError as error:
        raise BadSettings("\n".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _sentence(problem: dict[str, Any]) -> str:
    name = "_".join(str(part) for part in problem["loc"][:1]).upper()
    if problem["type"] == "missing":
        where = f"in the environment, in a file that {name}_FILE names, or in .env"
        return f"{name} is missing. Set it {where} (`kommo-stripe init` writes one)."
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name} {reason}." if name else f"{reason}."
