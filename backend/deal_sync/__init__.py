"""The card made equal to the ledger: read, compare, write the difference, once.

It never handles an event; it closes the difference between wanted and written (``plan`` decides, ``batch`` acts,
``revisions`` remembers, ``apply`` knows how Kommo refuses).
"""
