"""The chapter that audits the sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from analysis.audit import AuditedRow, FoundingFigure, Verdict
from analysis.entries.audit import BASES
from analysis.grim import Fit
from analysis.ledger import row_prefix
from analysis.prose import Markdown, book, known, num, quoted
from analysis.selection import OUTCOME_LABELS
from analysis.tables import NONE, arm, line, pipe_table, words

BASIS_WORDS = {
    "reported": "both counts printed",
    "derived": "count worked out",
    "percent_only": "percentage without patients",
    "all": "all",
}
GRIM_COLUMNS = {
    "printed": "Rows",
    "no_n": "No patients stated",
    "no_power": "Too many patients to test",
    "tested": "Tested",
    "rounded": "A count fits",
    "cut_off": "Fits if cut off",
    "none": "None fits",
}
USED_COLUMNS = {
    "printed": "Rows",
    "used_rounded": "Counts agree",
    "used_cut_off": "Agree if cut off",
    "used_none": "Counts disagree",
}
VERDICTS = {
    Verdict.AGREES: "agrees",
    Verdict.ANOTHER_FIGURE: "the study prints another figure",
    Verdict.NO_OTHER_SOURCE: "known to us from the founding article alone: nothing to compare",
}


def grim_table() -> Markdown:
    """What GRIM says of the printed percentages, by how the counts of the row are known."""
    return _counts(GRIM_COLUMNS)


def used_table() -> Markdown:
    """Whether the counts that the book uses give the percentages printed beside them."""
    return _counts(USED_COLUMNS)


def _counts(columns: dict[str, str]) -> Markdown:
    rows = [
        [BASIS_WORDS[basis], *(num(f"audit.{basis}.{name}") for name in columns)]
        for basis in (*BASES, "all")
    ]
    share = 72 // len(columns)
    widths = (100 - share * len(columns), *([share] * len(columns)))
    return pipe_table(["", *columns.values()], rows, widths, "l" + "r" * len(columns))


def disagreements(fit: Fit | str) -> Markdown:
    """The rows whose counts give the printed percentage only so: `cut_off`, or `none` at all."""
    rows = [
        [
            *_named(row),
            _printed(row),
            _used(row),
            num(f"audit.{row_prefix(row.address)}.distance"),
            *([_fitting(row)] if fit == Fit.NONE else []),
            f"{BASIS_WORDS[row.count_basis]}; {_place(row)}",
        ]
        for row in book().audit.rows
        if row.used == fit
    ]
    headers = ["Study", "Result", "Printed, %", "Used here", "Difference"]
    if fit == Fit.NONE:
        headers.append("What would fit")
        return pipe_table([*headers, "Source"], rows, (14, 21, 9, 13, 11, 14, 18), "llrrrll")
    return pipe_table([*headers, "Source"], rows, (16, 25, 10, 14, 11, 24), "llrrrl")


def ambiguous() -> Markdown:
    """Rows whose count was worked out from a percentage that several counts would give."""
    rows = [
        [*_named(row), _printed(row), _used(row), _range(row), _range(row, "_rate")]
        for row in book().audit.rows
        if row.is_ambiguous
    ]
    headers = ["Study", "Result", "Printed, %", "Used here", "Counts that fit", "Their rates"]
    return pipe_table(headers, rows, (17, 27, 10, 16, 14, 16), "llrrrr")


def disputed() -> Markdown:
    """Rows in which the second extraction found another number."""
    rows = [
        [
            *_named(row),
            quoted(_cells(row).definition, f"outcomes#{row.address}#definition"),
            _printed(row),
            _used(row),
            _range(row) if known(f"audit.{row_prefix(row.address)}.low") else NONE,
        ]
        for row in book().audit.rows
        if row.is_disputed
    ]
    headers = ["Study", "Result", "As noted", "Printed, %", "Used here", "Counts that fit"]
    return pipe_table(headers, rows, (16, 20, 26, 10, 15, 13), "lllrrr")


def founding() -> Markdown:
    """The founding article figure by figure, beside the rows of the studies that it cites."""
    by_address = {row.address: row for row in book().audit.rows}
    rows = [_founding(figure, by_address[figure.address]) for figure in book().audit.founding]
    headers = ["In the article", "Figure", "The study", "Its counts", "Difference", "Reading"]
    return pipe_table(headers, rows, (24, 9, 21, 14, 11, 21), "lrlrrl")


def _founding(figure: FoundingFigure, row: AuditedRow) -> list[str]:
    constants = book().evidence.constants
    stated = constants.loc[constants["constant"].eq(figure.constant), "stated"].item()
    has_counts = figure.distance is not None
    return [
        quoted(stated, f"constants#{figure.constant}#stated"),
        num(f"const.{figure.constant}"),
        f"{' '.join(_named(row))} {line(f'printed: {_printed(row)} per cent')}",
        _used(row) if has_counts else NONE,
        num(f"audit.{figure.constant}.distance") if has_counts else NONE,
        _verdict(figure),
    ]


def _verdict(figure: FoundingFigure) -> str:
    if figure.verdict is Verdict.COUNTS_DIFFER:
        rounded = num(f"audit.{figure.constant}.rounded")
        return f"printed so by the study, but its counts round to {rounded}"
    return VERDICTS[figure.verdict]


def rituximab_range() -> Markdown:
    """Where the pooled rate lies beside the range that the founding article gives."""
    ledger = book().ledger
    rate = 100 * float(ledger["pool.rituximab.overall_response.estimate"].value)
    low, high = (float(ledger[f"const.founding_rituximab_{end}"].value) for end in ("low", "high"))
    return Markdown("below" if rate < low else "above" if rate > high else "within")


def _named(row: AuditedRow) -> list[str]:
    """The study, and which of its results: arm, outcome, month."""
    cells = _cells(row)
    outcome = OUTCOME_LABELS.get(cells.pool_outcome, words(cells.outcome))
    months = f"{row_prefix(row.address)}.months"
    when = f", month {num(months)}" if known(months) else ""
    return [f"@{row.study_id}", f"{arm(cells)}, {outcome}{when}"]


def _cells(row: AuditedRow) -> Any:
    """The row of the evidence."""
    rows = book().selection.rows
    return next(rows[rows["address"].eq(row.address)].itertuples())


def _printed(row: AuditedRow) -> str:
    """The percentage as it is written in the data, with all its decimals."""
    return quoted(row.printed, f"outcomes#{row.address}#reported_percent")


def _place(row: AuditedRow) -> str:
    return quoted(_cells(row).source_locator, f"outcomes#{row.address}#source_locator")


def _used(row: AuditedRow) -> str:
    """The counts that the book uses, and their rate."""
    prefix = row_prefix(row.address)
    counts = f"{num(f'{prefix}.events')} / {num(f'{prefix}.n')}"
    return f"{counts} {line(num(f'{prefix}.estimate'))}"


def _fitting(row: AuditedRow) -> str:
    """The counts that would give the percentage, or the nearest that patients can give."""
    prefix = f"audit.{row_prefix(row.address)}"
    if known(f"{prefix}.low"):
        return _range(row)
    return f"none; nearest {num(f'{prefix}.nearest')} ({num(f'{prefix}.nearest_rate')})"


def _range(row: AuditedRow, of: str = "") -> str:
    """The fewest and the most events that fit, or their rates; one where they are the same."""
    assert row.allowed
    ends: Iterable[str] = ("low",) if row.allowed.low == row.allowed.high else ("low", "high")
    prefix = f"audit.{row_prefix(row.address)}"
    return " to ".join(num(f"{prefix}.{end}{of}") for end in ends)
