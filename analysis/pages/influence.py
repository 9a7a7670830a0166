"""Sentences, table and sections about whether a pool hangs on a single study."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.entries.influence import scatter_key, without_key
from analysis.plots.influence import figure_name, study_source
from analysis.pooling import HALF
from analysis.prose import Markdown, book, figure, label, num, quoted, word
from analysis.selection import OUTCOME_LABELS, OUTCOMES, Members
from analysis.tables import line, pipe_table

CHAPTER = "11-influence.qmd"


def section(members: Members) -> str:
    """The id of the section about a pool."""
    return f"sec-influence-{members.outcome}-{members.unit}"


def prefixes(outcome: str) -> Iterator[str]:
    """The pools of an outcome whose studies were looked at, by the name of their therapy."""
    return (prefix for prefix in book().prefixes("pool", outcome) if prefix in book().influence)


def name_of(prefix: str, place: int) -> Markdown:
    """The name of one of the studies of a pool."""
    study = book().members(prefix).studies[place]
    return quoted(study.label, study_source(study.study_id))


def rate_without(prefix: str, place: int) -> Markdown:
    """The pooled rate without one of the studies."""
    study = book().members(prefix).studies[place]
    return num(without_key(prefix, study.study_id) + ".estimate")


def extremes(prefix: str) -> Markdown:
    """The lowest and the highest rate without a single study: `51% (without A) to 60% (...)`."""
    ends = [
        f"{rate_without(prefix, place)} (without {name_of(prefix, place)})"
        for place in book().influence[prefix].ends
    ]
    return Markdown(" to ".join(ends))


def sentence(prefix: str) -> Markdown:
    """Beside a pool: what leaving out a study does, and where the figures are."""
    if prefix not in book().influence:
        return Markdown("")
    found = book().influence[prefix].scatter
    name = name_of(prefix, found.study)
    verdict = {
        True: f"its subsets part into clouds with and without {name}",
        False: "no study parts its subsets into clouds",
        None: "its studies are too few for their subsets to form clouds",
    }[found.parts]
    where = f"{CHAPTER}#{section(book().members(prefix))}"
    return Markdown(
        f"Leaving out a single study gives {extremes(prefix)}; {verdict} ([figures]({where}))."
    )


def reading(prefix: str) -> Markdown:
    """What the figures of a pool show."""
    found, key = book().influence[prefix].scatter, scatter_key(prefix)
    name = name_of(prefix, found.study)
    sample = "all" if found.complete else "a sample of"
    side = "higher" if found.rate_above >= HALF else "lower"
    pairs = (
        f"of all pairs of a subset with it and a subset without it, the rate with it is the {side} "
        f"in {num(key + '.separation')}, the [I²]{{.symbol}} the higher in "
        f"{num(key + '.i2_above')}"
    )
    medians = f"{num(key + '.with.median')} with it and {num(key + '.without.median')} without it"
    i2 = f"the median [I²]{{.symbol}} {num(key + '.with.i2')} and {num(key + '.without.i2')}"
    verdict = {
        True: f"The subsets part into clouds with and without {name}: {pairs}. The median rate is "
        f"{medians}, {i2}.",
        False: f"No study parts the subsets into clouds. {name} comes nearest: {pairs}. The median "
        f"rate is {medians}, {i2}.",
        None: f"So few subsets form no clouds. They differ most by {name}: the median rate is "
        f"{medians}, {i2}.",
    }[found.parts]
    return Markdown(
        f"Pooled rate {num(prefix + '.estimate')}; leaving out a single study gives "
        f"{extremes(prefix)}. Over {sample} {num(key + '.subsets')} subsets the median of the "
        f"pooled rates is {num(key + '.median')} and the middle {num('const.subsets_middle')} of "
        f"them run from {num(key + '.low')} to {num(key + '.high')}; "
        f"{num(key + '.above_half')} are above {word('const.half')}. {verdict}"
    )


def overview() -> Markdown:
    """Every pool in a line: its rate, the ends of leaving one out, and all its subsets."""
    rows = []
    for outcome in OUTCOMES:
        for prefix in prefixes(outcome):
            members, key = book().members(prefix), scatter_key(prefix)
            found = book().influence[prefix]
            study = members.studies[found.scatter.study]
            low, high = (
                f"{rate_without(prefix, place)} without @{members.studies[place].study_id}"
                for place in found.ends
            )
            above = f"above: {num(key + '.above_half')}"
            parted = {
                True: f"@{study.study_id} {line('shift ' + num(key + '.shift'))}",
                False: "no study",
                None: "too few to say",
            }[found.scatter.parts]
            rows.append(
                [
                    f"[{label(members)}](#{section(members)}) {line(OUTCOME_LABELS[outcome])}",
                    num(prefix + ".estimate"),
                    f"{low} {line(high)}",
                    f"{num(key + '.low')} to {num(key + '.high')} {line(above)}",
                    parted,
                ]
            )
    middle, half = num("const.subsets_middle"), num("const.half")
    headers = ["Therapy and outcome", "Rate", "Lowest and highest without a study"]
    headers += [f"Middle {middle} of subsets, share above {half}", "Subsets parted by"]
    return pipe_table(headers, rows, (22, 9, 33, 18, 18), "lrlll")


def sections() -> Markdown:
    """A section for each pool with its sentence and figures, under the heading of its outcome."""
    parts = []
    for outcome in OUTCOMES:
        found = list(prefixes(outcome))
        if found:
            heading = OUTCOME_LABELS[outcome].capitalize()
            parts.append(f"## {heading} {{#sec-influence-{outcome}}}\n")
        for prefix in found:
            members = book().members(prefix)
            name = f"{label(members)}, {OUTCOME_LABELS[outcome]}"
            parts += [f"### {label(members)} {{#{section(members)}}}\n", f"{reading(prefix)}\n"]
            parting = name_of(prefix, book().influence[prefix].scatter.study)
            caption = f"{name}: subsets with and without {parting}."
            parts.append(figure(figure_name("subsets", prefix), caption))
            caption = f"{name}: without each study, and with studies added by year."
            parts.append(figure(figure_name("studies", prefix), caption))
    return Markdown("\n".join(parts))
