"""Do the sources agree with themselves, and the founding article with its sources?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import pandas as pd

from analysis.evidence import Evidence
from analysis.grim import Fit, Grim, fit_of, grim

#: What the founding article prints of a study that it cites (constant), and the row of that study.
FOUNDING_FIGURES = (
    ("founding_splenectomy", "montalvo2014/splenectomy_lap/complete_response/12"),
    ("founding_rituximab", "tran2014/rituximab_1000x2/overall_response/1.8"),
    ("founding_eltrombopag", "yang2017/eltrombopag/overall_response/1.4"),
    ("founding_sirolimus_complete_3", "feng2020/sirolimus/complete_response/3"),
    ("founding_sirolimus_partial_3", "feng2020/sirolimus/partial_response/3"),
    ("founding_sirolimus_overall_3", "feng2020/sirolimus/overall_response/3"),
    ("founding_sirolimus_complete_6", "feng2020/sirolimus/complete_response/6"),
    ("founding_sirolimus_partial_6", "feng2020/sirolimus/partial_response/6"),
    ("founding_sirolimus_overall_6", "feng2020/sirolimus/overall_response/6"),
    ("founding_sirolimus_overall_12", "feng2020/sirolimus/overall_response/12"),
)
FOUNDING_ARTICLE = "founding article"


class Verdict(StrEnum):
    """What a figure of the founding article is beside the row of the study.

    agrees: what the study prints, and what its counts round to; counts_differ: what it prints, but
    its counts round to another number; another_figure: the study prints another; no_other_source:
    the row was itself read in the founding article.
    """

    AGREES = "agrees"
    COUNTS_DIFFER = "counts_differ"
    ANOTHER_FIGURE = "another_figure"
    NO_OTHER_SOURCE = "no_other_source"


@dataclass(frozen=True)
class AuditedRow:
    """One row with a printed percentage, and what GRIM says of it.

    printed: the percentage as it is written in outcomes.csv. events, n: the counts that the book
    uses, None where the row has none. allowed: what GRIM allows for n; used: how the book's counts
    give the percentage.
    """

    address: str
    study_id: str
    count_basis: str
    second_extraction: str
    printed: str
    events: int | None = None
    n: int | None = None
    allowed: Grim | None = None
    used: Fit | None = None

    @property
    def disagrees(self) -> bool:
        """Whether the counts do not give the percentage by rounding."""
        return self.used in (Fit.CUT_OFF, Fit.NONE)

    @property
    def distance(self) -> float:
        """The printed percentage less that of the counts, as a difference of fractions."""
        assert self.events is not None
        assert self.n
        return float((Decimal(self.printed) - 100 * Decimal(self.events) / self.n) / 100)

    @property
    def is_ambiguous(self) -> bool:
        """Whether the count was worked out from the percentage and another would give it too."""
        if self.allowed is None or self.count_basis != "derived":
            return False
        return self.allowed.low != self.allowed.high

    @property
    def is_disputed(self) -> bool:
        """Whether the second extraction found another number."""
        return self.second_extraction == "disagreed"


@dataclass(frozen=True)
class FoundingFigure:
    """A figure of the founding article (constant) and the row of the study it is taken from.

    distance: the figure less the rate of the row's counts, as a difference of fractions; None
    where the row has no counts.
    """

    constant: str
    address: str
    verdict: Verdict
    distance: float | None


@dataclass(frozen=True)
class Audit:
    """The rows that print a percentage, and the figures of the founding article."""

    rows: tuple[AuditedRow, ...]
    founding: tuple[FoundingFigure, ...]


def audit(evidence: Evidence, rows: pd.DataFrame) -> Audit:
    """Audit the evidence; `rows` are its outcomes with their addresses (selection.join_rows)."""
    audited = audit_rows(rows, evidence.printed_percent)
    return Audit(audited, founding_figures(rows, evidence.constants, audited))


def audit_rows(rows: pd.DataFrame, printed: Sequence[str]) -> tuple[AuditedRow, ...]:
    """Every row that prints a percentage, audited; `printed` has the cells as they are written."""
    audited = []
    for row, cell in zip(rows.itertuples(), printed, strict=True):
        if not cell:
            continue
        names = (row.address, row.study_id, row.count_basis, row.second_extraction, cell)
        if pd.isna(row.events) or pd.isna(row.n):
            audited.append(AuditedRow(*names))
            continue
        events, n = int(row.events), int(row.n)
        audited.append(AuditedRow(*names, events, n, grim(cell, n), fit_of(events, n, cell)))
    return tuple(audited)


def founding_figures(
    rows: pd.DataFrame, constants: pd.DataFrame, audited: Sequence[AuditedRow]
) -> tuple[FoundingFigure, ...]:
    """The founding article's figures beside the rows of the studies; those that the data have."""
    values = dict(zip(constants["constant"], constants["value"], strict=True))
    locators = dict(zip(rows["address"], rows["source_locator"], strict=True))
    by_address = {row.address: row for row in audited}
    found = []
    for constant, address in FOUNDING_FIGURES:
        row = by_address.get(address)
        if constant not in values or row is None:
            continue
        stated = Decimal(f"{values[constant]:g}")
        distance = None
        if row.events is not None and row.n:
            distance = float(stated / 100 - Decimal(row.events) / row.n)
        if locators[address].startswith(FOUNDING_ARTICLE):
            verdict = Verdict.NO_OTHER_SOURCE
        elif stated != Decimal(row.printed):
            verdict = Verdict.ANOTHER_FIGURE
        else:
            verdict = Verdict.COUNTS_DIFFER if row.disagrees else Verdict.AGREES
        found.append(FoundingFigure(constant, address, verdict, distance))
    return tuple(found)
