"""What a key of the ledger must be worth by the second road, and how near it must be."""

from __future__ import annotations

from dataclasses import dataclass

# PyMARE stops close to the REML root that is exact here. On 8,000 random pools its tau2 was within
# 5.4e-7 (1 + tau2), which moved estimates by 4e-8, limits by 1.5e-7 and I2 by 4.4e-7 at most.
FRACTION = 1e-6  # absolute, on the fraction scale
TAU2 = 1e-6  # times 1 + the value
# For the mixed model two ways of integrating and searching meet; a tenth of a printed digit.
GLMM = 1e-4


@dataclass(frozen=True)
class Expected:
    """What data/ gives for one key; tolerance is absolute, rows are addresses.

    Rows must be there, rows_too may be: a weight is a study's, but all of its pool went into it.
    optional: the ledger may lack the key, where two ways of computing may differ in whether a value
    exists at all.
    """

    value: float | str
    unit: str
    tolerance: float = 0.0
    rows: frozenset[str] = frozenset()
    rows_too: frozenset[str] = frozenset()
    optional: bool = False
