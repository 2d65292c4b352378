"""Stripe payments in the Kommo deal card.

Read from the door to the database: ``web`` and ``worker`` are the doors, ``links``, ``inbox``, ``ledger``,
``card`` and ``writer`` do the work, ``kommo_api`` and ``stripe_api`` speak to the outside, ``models`` and
``db`` keep what we know. Imports only go down.
"""
