"""GRIM: can a printed percentage come from a whole number of patients out of n?

The granularity-related inconsistency of means (Brown and Heathers 2017), for percentages of
counts. A percentage is taken as the text that was printed, for its decimals decide: "6.0" excludes
more than "6". All arithmetic is in Decimal, so that a tie is a tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum

#: From so many patients on every percentage without decimals fits some count, and from so many
#: times more with each decimal.
ALWAYS_FITS, EACH_DECIMAL = 100, 10


class Fit(StrEnum):
    """How a count gives a printed percentage: rounded, only when cut off, or not at all."""

    ROUNDED = "rounded"
    CUT_OFF = "cut_off"
    NONE = "none"


@dataclass(frozen=True)
class Grim:
    """What the printed percentage of n patients allows.

    fit: the best that any count of events does. low, high: the fewest and most events that fit in
    this way, None where none does. nearest: the count whose percentage is nearest to the printed
    one (of two equally near the smaller). has_power: whether some percentage with so many decimals
    is impossible for this n.
    """

    fit: Fit
    low: int | None
    high: int | None
    nearest: int
    has_power: bool


def decimals(printed: str) -> int:
    """The number of decimals of a printed percentage: 0 for "65", 1 for "65.0"."""
    return len(printed.partition(".")[2])


def percentage(events: int, n: int, places: int, rounding: str) -> Decimal:
    """100 events / n to so many decimals; `rounding` is one of the modes of decimal."""
    return (100 * Decimal(events) / n).quantize(Decimal(1).scaleb(-places), rounding)


def fit_of(events: int, n: int, printed: str) -> Fit:
    """How these counts give the printed percentage; half up and half to even are both rounding."""
    stated, places = Decimal(printed), decimals(printed)
    rounded = (percentage(events, n, places, mode) for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN))
    if stated in rounded:
        return Fit.ROUNDED
    return Fit.CUT_OFF if stated == percentage(events, n, places, ROUND_DOWN) else Fit.NONE


def grim(printed: str, n: int) -> Grim:
    """Test a printed percentage against every whole number of events out of n.

    Raises ValueError unless n is at least 1 and the percentage from 0 to 100.
    """
    stated = Decimal(printed)
    if n < 1 or not 0 <= stated <= 100:
        raise ValueError(f"{printed} % of {n}: needs a percentage from 0 to 100 and n >= 1")
    # Only counts within one printed step of the percentage can fit; one more on either side.
    step = Decimal(1).scaleb(-decimals(printed))
    first = max(0, int((stated - step) * n / 100))
    last = min(n, int((stated + step) * n / 100) + 1)
    fits = {events: fit_of(events, n, printed) for events in range(first, last + 1)}
    best = next(fit for fit in Fit if fit in fits.values() or fit is Fit.NONE)
    fitting = [events for events, fit in fits.items() if fit is best is not Fit.NONE]
    return Grim(
        fit=best,
        low=min(fitting, default=None),
        high=max(fitting, default=None),
        nearest=min(fits, key=lambda events: abs(100 * Decimal(events) / n - stated)),
        has_power=n < ALWAYS_FITS * EACH_DECIMAL ** decimals(printed),
    )
