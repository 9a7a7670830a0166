"""The table of percentages without a denominator, and what is said about each."""

from __future__ import annotations

from analysis.denominators import Bounds
from analysis.entries.denominators import bounds_prefix
from analysis.ledger import row_prefix
from analysis.prose import Markdown, book, many, num, rate
from analysis.tables import NONE, line, pipe_table, with_limits


def table() -> Markdown:
    """Each percentage with the smallest and the largest counts that give it."""
    rows = []
    for bounds in book().bounds:
        prefix = bounds_prefix(bounds.address)
        up_to = line(f"up to {num(prefix + '.limit')}")
        ends = (f"{prefix}.smallest", f"{prefix}.largest") if bounds.rounded else ()
        rows.append(
            [
                f"@{bounds.address.split('/')[0]}",
                num(row_prefix(bounds.address) + ".reported_percent"),
                f"{num(prefix + '.sizes')} {up_to}",
                *(f"{num(e + '.events')} / {num(e + '.n')}: {with_limits(e)}" for e in ends),
                *([] if ends else [NONE, NONE]),
            ]
        )
    headers = ["Study", "Printed", "Possible numbers of patients"]
    headers += ["Fewest patients: rate", "Most patients: rate"]
    return pipe_table(headers, rows, (20, 12, 18, 25, 25), "lrrll")


def sentences() -> Markdown:
    """What could have been printed so, percentage by percentage."""
    return Markdown("\n\n".join(_sentence(bounds) for bounds in book().bounds) + "\n")


def _sentence(bounds: Bounds) -> str:
    row, prefix = row_prefix(bounds.address), bounds_prefix(bounds.address)
    who = (
        f"the {num(prefix + '.limit')} who were enrolled"
        if bounds.enrolled
        else f"{num(prefix + '.limit')}, a limit of this book since the number enrolled is unknown"
    )
    study = f"@{bounds.address.split('/')[0]}"
    printed = num(row + ".reported_percent")
    if not bounds.rounded:
        return (
            f"{study}: {printed} is printed. No number of patients up to "
            f"{num(prefix + '.limit')} gives that percentage by rounding."
        )
    parts = [
        f"{study}: {printed} is printed. Up to {who}, "
        f"{many(prefix + '.sizes', 'number of patients gives', 'numbers of patients give')} that "
        f"percentage by rounding; the smallest is {num(prefix + '.smallest.n')}. "
        + _cut_off(bounds, prefix)
    ]
    if bounds.prefix:
        parts.append(
            f"With the study at the smallest, {num(prefix + '.smallest.events')} of "
            f"{num(prefix + '.smallest.n')}, the pool would be "
            f"{rate(prefix + '.with_smallest')}; at the largest, "
            f"{num(prefix + '.largest.events')} of {num(prefix + '.largest.n')}, "
            f"{rate(prefix + '.with_largest')}. Without it, it is {rate(bounds.prefix)}."
        )
    else:
        parts.append(
            f"{_no_pool(bounds)}, so the interval of the rate itself is all that the bounds can "
            f"give: {num(prefix + '.smallest.ci_low')} to "
            f"{num(prefix + '.smallest.ci_high')} at the smallest, "
            f"{num(prefix + '.largest.ci_low')} to {num(prefix + '.largest.ci_high')} at the "
            "largest."
        )
    return " ".join(parts)


def _no_pool(bounds: Bounds) -> str:
    """Why the percentage would enter no pool even with its denominator."""
    study = bounds.address.split("/")[0]
    elsewhere = any(
        study in {s.study_id for s in members.studies} and members.basis == "pool"
        for members in book().selection.members.values()
    )
    if elsewhere:
        return "The study is in the pools with other visits already"
    return "There is no pool for it to enter"


def _cut_off(bounds: Bounds, prefix: str) -> str:
    """The same where decimals were cut off instead."""
    if not bounds.cut_off:
        return "None gives it by cutting decimals off."
    return (
        f"If decimals were cut off instead, {num(prefix + '.cut_sizes')} do, from "
        f"{num(prefix + '.cut_smallest_n')} on."
    )
