"""The audit of the sources, by brute force: every whole number of events, in exact fractions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from checks.expected import FRACTION, Expected
from checks.rows import Data, Row

FAMILIES = ("audit",)
BASES = ("reported", "derived", "percent_only", "all")
#: How a count gives a percentage, the best first.
FITS = ("rounded", "cut_off", "none")
VERDICTS = ("agrees", "counts_differ", "another_figure", "no_other_source")
#: Figures of the founding article, by constant, with the row of the study that each is taken from.
FOUNDING = {
    "founding_splenectomy": "montalvo2014/splenectomy_lap/complete_response/12",
    "founding_rituximab": "tran2014/rituximab_1000x2/overall_response/1.8",
    "founding_eltrombopag": "yang2017/eltrombopag/overall_response/1.4",
    **{
        f"founding_sirolimus_{kind}_{month}": f"feng2020/sirolimus/{kind}_response/{month}"
        for month in (3, 6)
        for kind in ("complete", "partial", "overall")
    },
    "founding_sirolimus_overall_12": "feng2020/sirolimus/overall_response/12",
}


@dataclass(frozen=True, eq=False)
class Audited:
    """A row that prints a percentage; by_count says of each number of events how it fits."""

    row: Row
    printed: str
    by_count: tuple[str, ...] = ()

    @property
    def used(self) -> str:
        """How the counts that the book uses give the percentage, blank where there are none."""
        return self.by_count[self.row.events or 0] if self.by_count else ""

    @property
    def best(self) -> str:
        """How the best of all counts gives it."""
        return min(self.by_count, key=FITS.index, default="")

    @property
    def fitting(self) -> list[int]:
        """The counts that give it in the best way, none where no count does."""
        found = enumerate(self.by_count)
        return [] if self.best == "none" else [x for x, fit in found if fit == self.best]

    @property
    def nearest(self) -> int:
        """The count whose percentage is nearest to the printed one, the smaller of two."""
        n, stated = self.row.n or 1, Fraction(self.printed)
        return min(range(n + 1), key=lambda x: abs(Fraction(100 * x, n) - stated))

    @property
    def power(self) -> bool:
        """Whether there are percentages with so many decimals that no count can give."""
        return bool(self.by_count) and self.row.n < 100 / _step(self.printed)  # type: ignore[operator]

    @property
    def ambiguous(self) -> bool:
        """Whether the count was worked out from a percentage that other counts give too."""
        return self.row.cells["count_basis"] == "derived" and len(self.fitting) > 1

    @property
    def disputed(self) -> bool:
        """Whether the second extraction found another number."""
        return self.row.cells["second_extraction"] == "disagreed"


def _step(printed: str) -> Fraction:
    """The unit of the last decimal."""
    return Fraction(1, 10 ** len(printed.partition(".")[2]))


def _fit(events: int, n: int, printed: str) -> str:
    exact, stated, step = Fraction(100 * events, n), Fraction(printed), _step(printed)
    is_even = (stated / step) % 2 == 0
    # A tie may go up, or to the even neighbour.
    tied = abs(stated - exact) == step / 2 and (stated > exact or is_even)
    if abs(stated - exact) < step / 2 or tied:
        return "rounded"
    return "cut_off" if 0 <= exact - stated < step else "none"


@lru_cache(maxsize=1024)
def _by_count(n: int, printed: str) -> tuple[str, ...]:
    return tuple(_fit(events, n, printed) for events in range(n + 1))


@lru_cache(maxsize=4)
def audited(data: Data) -> tuple[Audited, ...]:
    """Every row that prints a percentage."""
    return tuple(
        Audited(
            row,
            printed,
            () if row.events is None or row.n is None else _by_count(row.n, printed),
        )
        for row in data.rows
        if (printed := row.cells["reported_percent"])
    )


@lru_cache(maxsize=4)
def founding(data: Data) -> dict[str, tuple[Audited, str]]:
    """The founding article's figures that the data have: the row, and how the two agree."""
    by_address = {found.row.address: found for found in audited(data)}
    verdicts = {}
    for constant, address in FOUNDING.items():
        if constant not in data.constants or address not in by_address:
            continue
        found = by_address[address]
        if found.row.cells["source_locator"].startswith("founding article"):
            verdict = "no_other_source"
        elif data.constants[constant].value != float(found.printed):
            verdict = "another_figure"
        else:
            verdict = "agrees" if found.used in ("rounded", "") else "counts_differ"
        verdicts[constant] = (found, verdict)
    return verdicts


def expected(data: Data, records: Mapping[str, Any]) -> dict[str, Expected]:
    """Every number of the audit."""
    counts = _counts(data)
    values = {f"audit.{name}": Expected(count, "count") for name, count in counts.items()}
    for found in audited(data):
        if found.by_count:
            values |= _of_row(found)
    for constant, (found, verdict) in founding(data).items():
        if not found.by_count:
            continue
        share = _share(found.row.events, found.row.n)
        stated = data.constants[constant].value / 100
        rows = frozenset({found.row.address})
        of_figure = f"audit.{constant}"
        values[f"{of_figure}.distance"] = Expected(stated - share, "points", FRACTION, rows)
        if verdict == "counts_differ":
            values[f"{of_figure}.rounded"] = Expected(share, "percent_whole", FRACTION, rows)
    return values


def _share(events: int | None, n: int | None) -> float:
    return float(Fraction(events or 0, n or 1))


def _counts(data: Data) -> dict[str, int]:
    """How many rows there are of each kind."""
    counts: dict[str, int] = {}
    for basis in BASES:
        rows = [f for f in audited(data) if basis in (f.row.cells["count_basis"], "all")]
        tested = [found for found in rows if found.power]
        without = sum(not found.by_count for found in rows)
        counts |= {
            f"{basis}.printed": len(rows),
            f"{basis}.no_n": without,
            f"{basis}.no_power": len(rows) - without - len(tested),
            f"{basis}.tested": len(tested),
        }
        best, used = Counter(f.best for f in tested), Counter(f.used for f in rows)
        counts |= {f"{basis}.{fit}": best[fit] for fit in FITS}
        counts |= {f"{basis}.used_{fit}": used[fit] for fit in FITS}
    ambiguous = [found for found in audited(data) if found.ambiguous]
    counts["ambiguous"] = len(ambiguous)
    counts["ambiguous_nearest"] = sum(f.row.events == f.nearest for f in ambiguous)
    not_done = [row for row in data.rows if row.cells["second_extraction"] == "not_done"]
    relapses = sum(row.outcome == "relapse" for row in not_done)
    counts |= {"not_done.relapse": relapses, "not_done.other": len(not_done) - relapses}
    verdicts = Counter(verdict for _, verdict in founding(data).values())
    counts["founding.figures"] = sum(verdicts.values())
    return counts | {f"founding.{verdict}": verdicts[verdict] for verdict in VERDICTS}


def _of_row(found: Audited) -> dict[str, Expected]:
    """How far a row's counts are from its percentage, and the counts that would give it."""
    row, prefix = found.row, f"audit.{found.row.key}"
    own, n = frozenset({row.address}), row.n or 1
    values: dict[str, Expected] = {}
    share = _share(row.events, n)
    if found.used != "rounded":
        distance = float(found.printed) / 100 - share
        values[f"{prefix}.distance"] = Expected(distance, "points", FRACTION, own)
    if not found.fitting:
        values |= _count(f"{prefix}.nearest", found.nearest, n, own)
    elif found.used == "none" or found.ambiguous or found.disputed:
        for end, events in (("low", found.fitting[0]), ("high", found.fitting[-1])):
            values |= _count(f"{prefix}.{end}", events, n, own, with_rate=found.ambiguous)
    return values


def _count(
    key: str, events: int, n: int, own: frozenset[str], with_rate: bool = True
) -> dict[str, Expected]:
    values = {key: Expected(events, "count", rows=own)}
    if with_rate:
        values[f"{key}_rate"] = Expected(_share(events, n), "percent", FRACTION, own)
    return values
