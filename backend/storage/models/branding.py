"""The look of a business on the client's pages."""

from sqlmodel import Field, SQLModel

from backend.storage.models.columns import big_int, plain_bytes


class AccountLogo(SQLModel, table=True):
    """The account's logo. It is public: its URL consists of its digest alone."""

    __tablename__ = "account_logo"
    account_id: int = big_int(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(index=True)
    content_type: str
    body: bytes = plain_bytes()
