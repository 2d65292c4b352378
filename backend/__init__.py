"""Stripe payments in the Kommo deal card.

Read from the entrances to the database: ``web`` and ``worker`` are the entrances, ``payments``, ``inbox``, ``ledger``
and ``deal_sync`` do the work, ``kommo_api`` and ``stripe_api`` call the outside, ``storage`` has the tables. Imports
only go down (docs/design.md 3).
"""
