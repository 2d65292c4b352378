"""Installing: what waits to connect a Kommo account, and the sign-ins that were used."""

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, moment


class PendingInstall(SQLModel, table=True):
    """An installation that waits: for a key, for the operator's yes, or for Kommo to name its account."""

    __tablename__ = "pending_install"
    id: str = Field(primary_key=True)  # "{client_id}/{random}"; that of a long-lived token is "/{subdomain}"
    kind: str  # code | answer (of Kommo's token endpoint) | token (long-lived) | "": older than this column, see legacy
    client_id: str = Field(index=True)
    secret: str  # the code, the answer or the token; sealed for "pending_code:{id}:code"
    base_url: str
    origin: str = "hook"  # hook: anybody may have sent it | state: ours came with it | operator | settings
    received_at: float = moment()
    problem: str = ""  # why Kommo, or we, did not connect it, in a sentence
    refused_keys: str = ""  # digest of the keys that Kommo refused it with; "for good" for a token
    refused_at: float = moment(default=0.0)
    account_id: int | None = big_int(default=None, nullable=True)  # whose answer it is, where that waits for a yes
    subdomain: str = ""  # of that account


class SpentState(SQLModel, table=True):
    """An OAuth state that was used. Only its digest is here, until it would be too old anyway."""

    __tablename__ = "spent_state"
    digest: str = Field(primary_key=True)
    expires_at: float = moment()
