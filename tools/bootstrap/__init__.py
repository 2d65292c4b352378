"""What a bare machine lacks, and how it is got: packages, a browser, checkers, locks.

Standard library only, in words that Python 3.8 can read too: ``run.py`` must live long enough to say that a Python is
too old.
"""
