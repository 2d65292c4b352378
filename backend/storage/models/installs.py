"""Pending installations of Kommo accounts, and the OAuth states that were used."""

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, moment


class PendingInstall(SQLModel, table=True):
    """An installation that waits for a key, for the operator's confirmation, or for Kommo to name its account."""

    __tablename__ = "pending_install"
    id: str = Field(primary_key=True)  # "{client_id}/{random}", or "/{subdomain}" for a long-lived token
    kind: str  # code | answer (of Kommo's token endpoint) | token (long-lived) | "" (older rows, see legacy)
    client_id: str = Field(index=True)
    secret: str  # the code, the answer or the token; sealed for "pending_code:{id}:code"
    base_url: str
    origin: str = "hook"  # hook (anybody may have sent it) | state (it carried our state) | operator | settings
    received_at: float = moment()
    problem: str = ""  # why it is not connected yet, in a sentence
    refused_keys: str = ""  # digest of the keys with which Kommo refused it; "for good" for a token
    refused_at: float = moment(default=0.0)
    account_id: int | None = big_int(default=None, nullable=True)  # account of an answer that waits for confirmation
    subdomain: str = ""  # the subdomain of that account


class SpentState(SQLModel, table=True):
    """An OAuth state that was used. Only its digest is stored, until the state would have expired anyway."""

    __tablename__ = "spent_state"
    digest: str = Field(primary_key=True)
    expires_at: float = moment()
