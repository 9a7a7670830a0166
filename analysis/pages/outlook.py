"""Sentences and tables of the chapter on sirolimus: comparable rows, a new study, a next study."""

from __future__ import annotations

from analysis.ledger import row_prefix
from analysis.outlook import Reach, Turn
from analysis.pooling import PREDICTION_MIN_K
from analysis.prose import (
    Markdown,
    book,
    centres,
    label,
    many,
    num,
    prediction,
    rate,
    word,
)
from analysis.results import FOCUS
from analysis.selection import OUTCOME_LABELS, OUTCOMES, VISITS
from analysis.tables import pipe_table


def coverage(outcome: str, opening: str = "Of") -> Markdown:
    """How many studies of rescue patients give a rate of an outcome, and how many at each visit."""
    visits = [
        f"{number} near month {num(f'const.visit_{place}')}"
        for place, visit in zip(("first", "second", "third"), VISITS, strict=True)
        for key in (f"comparable.{visit}.{outcome}",)
        for number in (num(key) if book().ledger[key].value else "none",)
    ]
    every = many(f"comparable.rescue.{outcome}", "study", "studies")
    return Markdown(
        f"{opening} {every} of rescue patients with a rate of {OUTCOME_LABELS[outcome]}, "
        f"the state at a visit is given by {', '.join(visits[:-1])} and {visits[-1]}"
    )


def singles() -> Markdown:
    """How many of the comparable rates come from a single study."""
    rates = many("comparable.rates", "rate", "rates")
    return Markdown(f"{num('comparable.single')} of {rates} in it come from a single study")


def comparable() -> Markdown:
    """The studies of each comparable row, by visit, outcome and therapy in alphabetical order."""
    rows = []
    for visit in VISITS:
        for outcome in OUTCOMES:
            for prefix in book().prefixes(visit, outcome):
                members = book().members(prefix)
                studies = members.studies
                rows.append(
                    [
                        OUTCOME_LABELS[outcome].capitalize(),
                        label(members),
                        num(f"{prefix}.state"),
                        ", ".join(num(row_prefix(study.rows[0]) + ".months") for study in studies),
                        "; ".join(f"@{study.study_id}" for study in studies),
                    ]
                )
    headers = ["Outcome", "Therapy", "", "Month", "Study"]
    return pipe_table(headers, rows, (28, 20, 14, 8, 30), "lllll")


def new_studies() -> Markdown:
    """What a new study of each therapy would see, where there are studies enough to say so."""
    rows = [
        [
            label(book().members(prefix)),
            num(f"{prefix}.k"),
            prediction(prefix),
            num(f"{prefix}.p_above_50"),
        ]
        for prefix in book().prefixes("pool", "overall_response", PREDICTION_MIN_K)
    ]
    headers = ["Therapy", "Studies", "Prediction interval"]
    headers.append(f"Of {num('const.per_100_centres')} centres, above {num('const.half')}")
    return pipe_table(headers, rows, (34, 12, 27, 27), "lrlr")


def new_study() -> Markdown:
    """What a new study of the focus would see, and what its few studies do to that."""
    prefix, base = f"pool.{FOCUS}.overall_response", f"outlook.{FOCUS}.overall_response"
    if not book().pools[prefix].prediction:
        return Markdown(
            f"Below {num('const.prediction_studies')} studies of {FOCUS} nothing can be said about "
            "a new one."
        )
    return Markdown(
        f"For {FOCUS} it runs from {prediction(prefix)}: {centres(prefix)}. Part of that width "
        f"comes from having only {num(prefix + '.k')} studies. With {num(base + '.df')} degrees of "
        f"freedom the limits lie {num(base + '.quantile')} times the standard deviation from the "
        f"middle; with many studies it would be {num('outlook.many_quantile')} times. Had many "
        "studies shown the same scatter, the interval would run from "
        f"{num(base + '.if_many.pi_low')} to {num(base + '.if_many.pi_high')}."
    )


def next_study(outcome: str) -> Markdown:
    """What a next study would have to show to change what the focus' pool of an outcome says."""
    prefix, base = f"pool.{FOCUS}.{outcome}", f"outlook.{FOCUS}.{outcome}"
    look = book().outlooks[prefix]
    if look.narrowing is None:
        return Markdown(f"Below {num('const.pool_studies')} studies there is no pool to change.")
    parts = [
        f"The pooled rate is {rate(prefix)}: an interval {num(base + '.width')} percentage points "
        f"wide. {_one_study(base, look.narrowing.reach)} "
        f"{_further(base, look.narrowing.reach)}"
    ]
    if look.next_study:
        parts.append(
            "After a next study as large as the cited trial, with "
            f"{num(base + '.next_n')} patients, {_turn(base, 'above', look.next_study.above)}; "
            f"{_turn(base, 'below', look.next_study.below)}."
        )
    return Markdown(" ".join(parts))


def conclusion() -> Markdown:
    """What would change the picture, in a sentence; blank where there is no pool to change."""
    base = f"outlook.{FOCUS}.overall_response"
    narrowing = book().outlooks[f"pool.{FOCUS}.overall_response"].narrowing
    if narrowing is None:
        return Markdown("")
    share = word("const.narrowed")
    if narrowing.reach is Reach.NONE:
        return Markdown(
            f"A next study that agrees cannot by itself narrow the interval to {share}, however "
            "large: what is missing is more studies rather than a larger one."
        )
    if narrowing.reach is Reach.ANY:
        return Markdown(f"Any next study that agrees would narrow the interval to {share} or less.")
    return Markdown(
        f"A next study of {num(base + '.patients')} patients that agrees would narrow the interval "
        f"to {share}."
    )


def _one_study(base: str, reach: Reach) -> str:
    """Whether one next study narrows the interval enough."""
    share = word("const.narrowed")
    if reach is Reach.SOME:
        return (
            f"A next study of {num(base + '.patients')} patients that found the pooled rate would "
            f"narrow it to {share}."
        )
    if reach is Reach.ANY:
        return (
            f"Any next study that found the pooled rate would narrow it to {share} or less, "
            "however small: the interval is wide above all because the studies are so few."
        )
    return (
        f"No next study narrows it to {share} by itself: if it found the pooled rate in "
        f"{num('const.largest_study')} patients, {num(base + '.remaining')} of the width would "
        "remain, for a larger study says nothing more about how far studies differ."
    )


def _further(base: str, reach: Reach) -> str:
    """How many further studies of typical size narrow the interval enough, and to what."""
    typical = num(base + ".typical")
    after = f"{num(base + '.after.ci_low')} to {num(base + '.after.ci_high')}"
    if reach is Reach.ANY:
        return (
            f"With {typical} patients, the median of the present studies, the interval would run "
            f"from {after}."
        )
    if f"{base}.further" not in book().ledger:
        return (
            f"Nor would {num('const.most_studies')} further studies of {typical} patients each, "
            "the median of the present ones."
        )
    return (
        f"Of further studies with {typical} patients each, the median of the present ones, "
        f"{num(base + '.further')} would do; if all found the pooled rate, the interval would then "
        f"run from {after}."
    )


def _turn(base: str, side: str, turn: Turn) -> str:
    """After which results of a next study the interval lies on one side of one half."""
    half, at = word("const.half"), f"{base}.{side}"
    if turn.fewest is not None:
        return (
            f"the interval would lie wholly {side} {half} if from {num(at + '.fewest')} to "
            f"{num(at + '.most')} of them responded ({num(at + '.fewest_rate')} to "
            f"{num(at + '.most_rate')})"
        )
    limit = "lower limit would be at most" if side == "above" else "upper limit would be at least"
    return (
        f"no result would set the interval wholly {side} {half}: its {limit} "
        f"{num(at + '.limit')}, with {many(at + '.at', 'responder', 'responders')}"
    )
