"""Column kinds that both databases hold alike."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, LargeBinary, text
from sqlmodel import Field


def big_int(**options: Any) -> Any:
    """Kommo's ids and Stripe's amounts outgrow 32 bits."""
    return Field(sa_type=BigInteger, **options)


def moment(**options: Any) -> Any:
    """Seconds since the epoch. A number has no time zone to lose on its way through SQLite."""
    return Field(sa_type=Double, **options)


def document(**options: Any) -> Any:
    """A JSON object, always replaced whole: changes inside are not noticed."""
    return Field(sa_type=JSON, **options)


def sealed_bytes(**options: Any) -> Any:
    return Field(sa_type=LargeBinary, **options)


def plain_bytes(**options: Any) -> Any:
    """Bytes that are no secret."""
    return Field(sa_type=LargeBinary, **options)


def partial_index(name: str, where: str, *columns: str) -> Index:
    """An index of the rows for which ``where`` is true, on both databases."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
