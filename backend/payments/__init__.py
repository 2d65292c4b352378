"""Payment requests: create one with its permanent link, open the link, cancel, refund,
and show the deal's statement."""
