"""Kommo's last answers about users and deals, for the time when Kommo does not answer."""

from typing import Any

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, document, moment


class LastWord(SQLModel, table=True):
    """The rights of a user, or the stage and responsible user of a deal. Ids and letters only, no names."""

    __tablename__ = "last_word"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(primary_key=True)  # user | deal
    id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    said: dict[str, Any] = document(default_factory=dict)
    told_at: float = moment()
