"""How much random tests draw: a quarter of their cases; with QSIM_DRAWS=all in the environment (scripts/test --all-draws) all."""

import os

ASKED = os.environ.get("QSIM_DRAWS", "")
if ASKED not in ("", "all"):
    raise ValueError(f'QSIM_DRAWS: got "{ASKED}", expected "all" or nothing')
APART = 1 if ASKED else 4


def draws(count):
    """Of `count` cases those that are drawn."""
    return -(-count // APART)


def drawn(cases):
    """The cases of a list that are drawn, the first among them."""
    return list(cases)[::APART]
