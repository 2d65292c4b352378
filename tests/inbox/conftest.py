"""The running product of the tests of accounts, for those of missed webhooks."""

from tests.accounts.conftest import clock, product, sqlite_url, unconnected

__all__ = ["clock", "product", "sqlite_url", "unconnected"]
