"""Column types that both databases store alike."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, LargeBinary, text
from sqlmodel import Field


def big_int(**options: Any) -> Any:
    """A 64-bit integer column: Kommo's ids and Stripe's amounts outgrow 32 bits."""
    return Field(sa_type=BigInteger, **options)


def moment(**options: Any) -> Any:
    """A column for a time, in seconds since the epoch. A number has no time zone to lose on its way through SQLite."""
    return Field(sa_type=Double, **options)


def document(**options: Any) -> Any:
    """A JSON column. Always replace its whole value: SQLAlchemy does not notice changes inside."""
    return Field(sa_type=JSON, **options)


def sealed_bytes(**options: Any) -> Any:
    """A column for encrypted bytes."""
    return Field(sa_type=LargeBinary, **options)


def plain_bytes(**options: Any) -> Any:
    """A column for bytes that are not secret."""
    return Field(sa_type=LargeBinary, **options)


def partial_index(name: str, where: str, *columns: str) -> Index:
    """An index of the rows that satisfy the SQL condition ``where``, on both databases."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
