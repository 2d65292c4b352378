"""Reconciles each deal in Kommo with its ledger: fetch, compare, write the difference once.

It handles no events; it closes the difference between wanted and written (``plan`` decides, ``batch`` acts,
``revisions`` records the result, ``apply`` handles Kommo's refusals).
"""
