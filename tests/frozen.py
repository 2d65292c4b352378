"""Imported last by the process that others are forked from: what it has imported is garbage to nobody.

A forked product that collects garbage when it starts would walk all of it, and that took longer than the rest of the
start.
"""

import gc

gc.collect()
gc.freeze()
