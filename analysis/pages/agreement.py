"""The chapter that holds the pools of this book beside those of other reviews."""

from __future__ import annotations

from analysis.agreement import CHILDREN, NO_POOL, NOT_POOLED, Comparison, Review
from analysis.prose import Markdown, book, known, label, many, num, prediction, quoted
from analysis.selection import OUTCOME_LABELS
from analysis.tables import NONE, line, pipe_table, with_limits, words

ABSENT = {
    CHILDREN: "children, whom no pool of this book holds apart",
    NOT_POOLED: "an outcome that this book shows and does not pool",
    NO_POOL: "no study of this outcome in this book",
}


def table() -> Markdown:
    """Every published pool beside that of this book: studies, patients, rates, difference."""
    rows = [
        [
            _what(c),
            _who(c.review),
            _theirs(c.review),
            _ours(c),
            num(f"published.{c.review.name}.difference"),
        ]
        for c in book().agreement
        if c.ours
    ]
    headers = ["Therapy and outcome", "Review", "Its pool", "This book", "Difference"]
    return pipe_table(headers, rows, (19, 29, 19, 21, 12), "llllr")


def facts() -> Markdown:
    """For each comparison what lies in which interval."""
    rows = [
        [
            _what(c),
            _which(c.review),
            *map(_yes, (c.overlap, c.ours_in_theirs, c.theirs_in_ours, c.theirs_in_prediction)),
        ]
        for c in book().agreement
        if c.ours
    ]
    headers = ["Therapy and outcome", "Review", "Intervals overlap", "Our rate in its interval"]
    headers += ["Its rate in our interval", "Its rate in our prediction interval"]
    return pipe_table(headers, rows, (24, 20, 13, 14, 14, 15), "llllll")


def why() -> Markdown:
    """For each comparison what makes the two differ, by rule."""
    rows = [
        [_what(c), _which(c.review), "; ".join(_reasons(c))] for c in book().agreement if c.ours
    ]
    headers = ["Therapy and outcome", "Review", "What is not the same"]
    return pipe_table(headers, rows, (24, 20, 56), "lll")


def without() -> Markdown:
    """The published pools that have no counterpart here, and why."""
    rows = [
        [_what(c), _who(c.review), _theirs(c.review), ABSENT[c.absent]]
        for c in book().agreement
        if not c.ours
    ]
    headers = ["Therapy and outcome", "Review", "Its pool", "Why not compared"]
    return pipe_table(headers, rows, (22, 29, 19, 30), "llll")


def _what(comparison: Comparison) -> str:
    """Therapy and outcome, as this book calls them where it has the pool."""
    if comparison.ours:
        members = comparison.ours.members
        return f"{label(members)}, {OUTCOME_LABELS[members.outcome]}"
    review = comparison.review
    names = book().evidence.therapies.set_index("therapy")["label"]
    therapy = quoted(names[review.therapy], f"therapies#{review.therapy}#label")
    return f"{therapy}, {words(review.outcome)}"


def _name(review: Review) -> str:
    place = f"published#{review.name}"
    return f"{quoted(review.source, place + '#source')} {quoted(str(review.year), place + '#year')}"


def _which(review: Review) -> str:
    """The review, and which of its pools where it has several of this outcome."""
    if not review.is_one_of_several:
        return _name(review)
    return f"{_name(review)}: {quoted(review.definition, f'published#{review.name}#definition')}"


def _who(review: Review) -> str:
    """The review, its definition and its method, in its words."""
    place = f"published#{review.name}"
    said = [quoted(review.definition, place + "#definition")]
    if review.method_note:
        said.append(quoted(review.method_note, place + "#method_note"))
    return f"{_name(review)}: {'; '.join(said)}"


def _theirs(review: Review) -> str:
    prefix = f"published.{review.name}"
    rate = f"**{num(prefix + '.estimate')}**"
    if review.interval:
        rate += f" ({num(prefix + '.ci_low')} to {num(prefix + '.ci_high')})"
    return f"{rate} {line(_size(prefix))}"


def _ours(comparison: Comparison) -> str:
    assert comparison.ours
    prefix = comparison.ours.members.prefix
    cell = f"{with_limits(prefix, bold=True)} {line(_size(prefix))}"
    if comparison.ours.prediction:
        cell += f" {line(f'PI {prediction(prefix)}')}"
    return cell


def _size(prefix: str) -> str:
    studies = many(prefix + ".k", "study", "studies")
    return f"{studies}, {many(prefix + '.n', 'patient', 'patients')}"


def _yes(fact: bool | None) -> str:
    return NONE if fact is None else "yes" if fact else "no"


def _reasons(comparison: Comparison) -> list[str]:
    """What is not the same in the two pools, by declared rules over declared fields."""
    review, ours = comparison.review, comparison.ours
    assert ours
    prefix, pool = f"published.{review.name}", ours.members.prefix
    k = num(f"{pool}.k")
    said = []
    if not known(f"{prefix}.same_threshold"):
        said.append("it names no platelet count")
    elif ours.same_threshold != ours.k:
        said.append(f"its platelet count is used by {num(f'{prefix}.same_threshold')} of our {k}")
    if review.part:
        said.append("it takes a part of the patients or studies (see its definition)")
    if review.outcome == "durable_response":
        said.append("what lasts is defined by each study")
    if review.adds_up:
        said.append("it adds patients up, without weighting by study")
    if review.k != ours.k:
        said.append("it has more studies" if review.k > ours.k else "it has fewer studies")
    if ours.later:
        said.append(f"{num(f'{prefix}.later')} of our {k} appeared after its year")
    if ours.mixed_ages:
        ages = num(f"{prefix}.mixed_ages")
        said.append(f"{ages} of our {k} have children among their patients")
    return said or ["nothing that the data state"]
