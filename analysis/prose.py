"""What the chapters call: numbers by key, and the phrases, figures and lists built from them.

A chapter opens with `from analysis.prose import *`. Every function returns Markdown in which each
number is a span with its key, so that the check can find it again in the book.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from analysis import report
from analysis.report import Report
from analysis.selection import OUTCOME_LABELS, OUTCOMES, Members

__all__ = [
    "book",
    "centres",
    "cited_alone",
    "compared",
    "counts",
    "figure",
    "forest_sections",
    "how_to_read",
    "many",
    "num",
    "pool_paragraph",
    "prediction",
    "rate",
    "reference",
    "version",
    "word",
]

MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~^$@'\"&:=/])")


class Markdown(str):
    """Text that Jupyter and Quarto take as Markdown."""

    def _repr_markdown_(self) -> str:
        return str(self)


@cache
def book() -> Report:
    """The report of this build."""
    return report.load()


def escape(text: str) -> str:
    """Text from the data, shown as it is: nothing in it is taken as markup."""
    return MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(text.split()))


def num(key: str) -> Markdown:
    """The number of this key as it is printed, tagged with its key."""
    text = book().ledger[key].text
    return Markdown(f'[{escape(text)}]{{.num data-key="{key}"}}')


NUMBER_WORDS: dict[float, str] = {0.5: "half"}
NUMBER_WORDS |= dict(enumerate(["one", "two", "three", "four", "five", "six"], start=1))


def word(key: str) -> Markdown:
    """The number of this key as a word, tagged like any other: `two`, `half`."""
    value = book().ledger[key].value
    if value not in NUMBER_WORDS:
        raise ValueError(f"{key} is {value}: print it with num(), there is no word for it")
    return Markdown(f'[{NUMBER_WORDS[float(value)]}]{{.num data-key="{key}"}}')


def quoted(text: str, source: str) -> Markdown:
    """Words of the data as they stand there, tagged with their place: `therapies#ID#label`."""
    return Markdown(f'[{escape(text)}]{{.datum data-from="{source}"}}')


def label(members: Members) -> Markdown:
    """The name of a pool's therapy or drug class."""
    return quoted(members.unit_label, members.label_source)


def known(key: str) -> bool:
    """Whether the ledger has this key."""
    return key in book().ledger


def rate(prefix: str) -> Markdown:
    """The rate with its interval: `62.5% (95% CI 52.6% to 71.4%)`."""
    return Markdown(
        f"{num(prefix + '.estimate')} ({num('const.level')} CI "
        f"{num(prefix + '.ci_low')} to {num(prefix + '.ci_high')})"
    )


def prediction(prefix: str) -> Markdown:
    """The limits of the prediction interval: `20.1% to 91.0%`."""
    return Markdown(f"{num(prefix + '.pi_low')} to {num(prefix + '.pi_high')}")


def many(key: str, one: str, several: str) -> Markdown:
    """A count with its noun in the right number: `1 study`, `17 studies`."""
    return Markdown(f"{num(key)} {one if book().ledger[key].value == 1 else several}")


def counts(prefix: str) -> Markdown:
    """Studies and patients of a pool: `17 studies with 1,234 patients`."""
    studies = many(prefix + ".k", "study", "studies")
    return Markdown(f"{studies} with {many(prefix + '.n', 'patient', 'patients')}")


def centres(prefix: str) -> Markdown:
    """The predictive distribution in words, on a scale of comparable centres."""
    return Markdown(
        f"of {num('const.per_100_centres')} comparable centres about "
        f"{num(prefix + '.p_above_50')} would see more than {word('const.half')} of their "
        "patients respond"
    )


def compared(prefix: str, other: str) -> Markdown:
    """Where the rate of one prefix lies beside that of another: `below`, `above` or `at`."""
    value, beside = (float(book().ledger[f"{p}.estimate"].value) for p in (prefix, other))
    return Markdown("at" if value == beside else "below" if value < beside else "above")


def cited_alone() -> Markdown:
    """What can be pooled from the cited studies by themselves."""
    pooled = [
        members
        for members in book().selection.members.values()
        if members.basis == "cited" and len(members.studies) > 1
    ]
    if not pooled:
        return Markdown(
            "Taken alone, none of them reports the same outcome of the same therapy as another, so "
            "**nothing can be pooled**: each stands for itself."
        )
    names = ", ".join(f"{label(m)} ({OUTCOME_LABELS[m.outcome]})" for m in pooled)
    return Markdown(
        f"Taken alone, they can be pooled for {names}; the others stand for themselves."
    )


def version() -> Markdown:
    """The version of the book."""
    return quoted(str(book().build["version"]), "build#/version")


def reference(study_ids: Iterable[str]) -> Markdown:
    """A citation of these studies."""
    return Markdown("[" + "; ".join(f"@{study_id}" for study_id in study_ids) + "]")


def figure(name: str, caption: str, folder: str = "../figures") -> Markdown:
    """A numbered figure with its alternative text, its caption and a link to its data.

    `folder` is the way from the chapter to the figures.
    """
    drawn = book().figures[name]
    alt = drawn.alt.replace('"', "'")
    keys = " ".join(drawn.alt_keys)
    return Markdown(
        f'::: {{#fig-{name}}}\n\n![]({folder}/{name}.svg){{fig-alt="{alt}" data-keys="{keys}"}}\n\n'
        f"{caption} [Data (CSV)]({folder}/{name}.csv)\n\n:::\n"
    )


def together(text: str) -> Markdown:
    """Text that stays on one page of the PDF."""
    opening = "```{=typst}\n#block(breakable: false)[\n```"
    return Markdown(f"{opening}\n\n{text}\n\n```{{=typst}}\n]\n```\n")


def how_to_read() -> Markdown:
    """What the marks of the forest plots mean, once for each chapter that has some."""
    return Markdown(
        "In each plot squares are studies with their exact intervals, larger where they weigh "
        "more; the diamond is the pooled rate with its confidence interval, the bar below it the "
        "prediction interval. An asterisk marks the cited studies."
    )


def forest_sections(outcome: str, *beside: Callable[[str], str]) -> Markdown:
    """A section for every therapy with at least two studies: what the pool says, and its plot.

    `beside` are sentences about a pool, made from its prefix, that follow what the pool says.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"{outcome!r} is not an outcome of pools: {', '.join(OUTCOMES)}")
    parts = []
    for prefix in book().prefixes("pool", outcome, 2):
        members = book().members(prefix)
        parts.append(
            f"### {label(members)} {{#sec-{outcome}-{members.unit}}}\n\n"
            f"{' '.join([pool_paragraph(prefix), *(say(prefix) for say in beside)])}\n\n"
        )
        caption = f"{OUTCOME_LABELS[outcome].capitalize()}: {label(members)}."
        parts.append(figure(report.figure_name(prefix), caption) + "\n")
    return Markdown("\n".join(parts))


def pool_paragraph(prefix: str) -> Markdown:
    """One pool in a few sentences: rate, prediction, the second model, and the studies."""
    pool, members = book().pools[prefix], book().members(prefix)
    parts = [f"Pooled rate {rate(prefix)} from {counts(prefix)}."]
    if pool.prediction:
        parts.append(
            f"A new, comparable study would see a rate from {prediction(prefix)} "
            f"(prediction interval); {centres(prefix)}."
        )
    else:
        parts.append(f"With {word(prefix + '.k')} studies nothing can be said about a new one.")
    if pool.glmm and pool.glmm.summary:
        low, high = num(prefix + ".glmm_ci_low"), num(prefix + ".glmm_ci_high")
        parts.append(
            f"The binomial-normal model gives {num(prefix + '.glmm_estimate')} ({low} to {high})."
        )
    elif pool.glmm:
        parts.append(f"The binomial-normal model cannot be estimated: {pool.glmm.why_not}.")
    if pool.models_may_part:
        parts.append(
            f"With so few patients, or a rate so near {num('const.rate_floor')} or "
            f"{num('const.rate_ceiling')}, the models may part; read both."
        )
    if members.shared:
        left_out = reference(study_id for study_id, _ in members.shared)
        parts.append(f"Left out because they may share patients with a fuller study: {left_out}.")
    parts.append(f"In this pool: {reference(s.study_id for s in members.studies)}.")
    return Markdown(" ".join(parts))
