"""Stripe payments in the Kommo deal card.

Read from the door to the database: ``web`` and ``worker`` are the doors, ``payments``, ``inbox``, ``ledger`` and
``deal_sync`` do the work, ``kommo_api`` and ``stripe_api`` speak to the outside, ``storage`` keeps what we know.
Imports only go down (docs/design.md 3).
"""
