"""An account's options as they are stored, and as a release reads them that does not know all of them."""

import pytest

from backend.accounts.options import Options, check_options, options_of
from backend.core.errors import FieldInvalid
from backend.storage.models import Account


def test_an_option_of_a_newer_release_is_left_out_when_read_and_refused_when_chosen() -> None:
    options = {"due_days": 14, "of_next_year": {"any": "thing"}}
    account = Account(id=7, client_id="one", base_url="", tokens="", options=options)
    assert options_of(account) == Options(due_days=14)
    with pytest.raises(FieldInvalid, match="of_next_year"):
        check_options(account.options)
