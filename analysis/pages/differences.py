"""Sentences and tables about the differences between the studies of a pool."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.differences import MODERATORS, Answer, Level, Obstacle, PoolDifferences, Question
from analysis.entries.differences import ends, key
from analysis.metaregression import Ratio
from analysis.plots.differences import figure_name, level_text
from analysis.pooling import PREDICTION_MIN_K
from analysis.prose import Markdown, book, figure, known, label, many, num
from analysis.selection import OUTCOME_LABELS, OUTCOMES, Members
from analysis.tables import NONE, line, numbered, pipe_table


def section(prefix: str) -> str:
    """The id of the section about a pool."""
    return f"sec-differences-{prefix.replace('.', '-')}"


def sentence(prefix: str) -> str:
    """Beside a pool: where its differences are looked into, where they can be."""
    if prefix not in book().differences.pools:
        return ""
    return f"Why its studies may differ, and whether small ones do, is asked in @{section(prefix)}."


def spread() -> Markdown:
    """How far the studies of each therapy's pools lie apart."""
    rows = []
    for outcome in OUTCOMES:
        for prefix in book().prefixes("pool", outcome, PREDICTION_MIN_K):
            limits = f"{num(prefix + '.tau2_low')} to {num(prefix + '.tau2_high')}"
            rows.append(
                [
                    label(book().members(prefix)),
                    OUTCOME_LABELS[outcome],
                    num(prefix + ".k"),
                    f"{num(prefix + '.tau2')} {line(f'({limits})')}",
                    num(prefix + ".i2"),
                    num(key(prefix, "prediction_width")),
                    num(key(prefix, "retrospective")),
                ]
            )
    headers = ["Therapy", "Outcome", "Studies", f"[tau²]{{.symbol}} ({num('const.level')} CI)"]
    headers += ["[I²]{.symbol}", "Prediction width", "Retrospective"]
    return pipe_table(headers, rows, (18, 20, 9, 20, 7, 13, 13), "llrrrrr")


def pools() -> Iterable[PoolDifferences]:
    """The pools with enough studies, therapies first, by name and outcome."""
    found = book().differences.pools
    for basis in ("pool", "class"):
        for outcome in OUTCOMES:
            yield from (found[p] for p in book().prefixes(basis, outcome) if p in found)


def title(members: Members) -> str:
    """A pool's name as a heading."""
    kind = "Drug class: " if members.basis == "class" else ""
    return f"{kind}{label(members)}, {OUTCOME_LABELS[members.outcome]}"


def sections() -> Markdown:
    """A section for each pool with enough studies: its regressions as a table and bubble plots."""
    parts = []
    for pool in pools():
        members = book().members(pool.prefix)
        parts.append(f"### {title(members)} {{#{section(pool.prefix)}}}\n")
        if not pool.answers:
            parts.append("None of the moderators can be asked about (@tbl-not-asked).\n")
            continue
        parts.append(f"{reading(pool)}\n")
        name = f"regressions-{pool.prefix.replace('.', '-')}"
        parts.append(numbered(name, regressions(pool), f"Regressions: {title(members)}."))
        caption = f"{title(members)}: studies and fitted rates, by moderator."
        parts.append(figure(figure_name("bubble", pool.prefix), caption))
    return Markdown("\n".join(parts))


def reading(pool: PoolDifferences) -> str:
    """What the regressions of a pool say together, and which studies they leave out."""
    telling = [a.question.moderator.label.lower() for a in pool.answers if tells(a)]
    if telling:
        said = f"An odds ratio's interval excludes one for {', '.join(telling)}."
    else:
        said = (
            "The interval of every odds ratio includes one: whether the rate rises or falls "
            "with what was asked about cannot be told."
        )
    for answer in pool.answers:
        question = answer.question
        left = key(pool.prefix, question.moderator.name, "left_out")
        if known(left):
            said += (
                f" {question.moderator.label} leaves out {many(left, 'study', 'studies')}: the "
                "value is unknown, or no other study shares it."
            )
    return said


def excludes_one(ratio: Ratio) -> bool:
    """Whether an odds ratio's interval lies on one side of one."""
    return ratio.low > 1 or ratio.high < 1


def tells(answer: Answer) -> bool:
    """Whether any odds ratio of a regression has an interval that excludes one."""
    question = answer.question
    if question.moderator.numeric:
        return excludes_one(answer.odds_ratio())
    return any(excludes_one(answer.odds_ratio(level)) for level in question.levels[1:])


def regressions(pool: PoolDifferences) -> Markdown:
    """The regressions of a pool: rates at levels or ends, odds ratios, tau2, what is explained."""
    rows = [row for answer in pool.answers for row in rows_of(pool.prefix, answer)]
    level = num("const.level")
    headers = ["Moderator", "Studies", "At", f"Rate ({level} CI)", f"Odds ratio ({level} CI)"]
    headers += ["[tau²]{.symbol} (without)", "Explained"]
    return pipe_table(headers, rows, (17, 9, 13, 20, 18, 13, 10), "lrlllrr")


def rows_of(prefix: str, answer: Answer) -> list[list[str]]:
    """A regression as rows of its table: one for each level, or for either end of a range."""
    question = answer.question
    name, numeric = key(prefix, question.moderator.name), question.moderator.numeric
    explained = num(f"{name}.explained") if known(f"{name}.explained") else NONE
    rows = []
    for place, (at, level) in enumerate(ends(question)):
        of_level = f"{name}.{at}"
        studies = num(f"{name if numeric else of_level}.k")
        # A line has one odds ratio and one number of studies, a level has its own.
        ratio = odds_ratio(name if numeric else of_level) if numeric == (place == 0) else ""
        rate = [value(of_level, level), limits(of_level, "estimate", "ci_low", "ci_high"), ratio]
        if place == 0:
            tau2 = f"{num(f'{name}.tau2')} ({num(f'{name}.tau2_without')})"
            rows.append([question.moderator.label, studies, *rate, tau2, explained])
        else:
            rows.append(["", "" if numeric else studies, *rate, "", ""])
    return rows


def value(prefix: str, level: Level) -> str:
    """A level or an end as it is read."""
    return level_text(level) if isinstance(level, str) else num(f"{prefix}.value")


def limits(prefix: str, estimate: str, low: str, high: str) -> str:
    """A number with its limits."""
    between = f"({num(f'{prefix}.{low}')} to {num(f'{prefix}.{high}')})"
    return f"{num(f'{prefix}.{estimate}')} {line(between)}"


def odds_ratio(prefix: str) -> str:
    """An odds ratio with its limits."""
    return limits(prefix, "odds_ratio", "odds_ratio_low", "odds_ratio_high")


def not_asked() -> Markdown:
    """Which moderators each pool with enough studies could be asked about, and why not the rest."""
    rows = []
    for pool in pools():
        cells = [obstacle(pool.prefix, question) for question in pool.questions]
        rows.append([title(book().members(pool.prefix)), *cells])
    headers = ["Pool", *(moderator.label for moderator in MODERATORS)]
    return pipe_table(headers, rows, (20, 16, 16, 16, 16, 16), "llllll")


def obstacle(prefix: str, question: Question) -> str:
    """Why a moderator cannot be asked about, or of how many studies it was."""
    name = key(prefix, question.moderator.name)
    of_all = num(f"{prefix}.k")
    if question.obstacle is Obstacle.UNKNOWN:
        return f"known in {num(f'{name}.known')} of {of_all}"
    if question.obstacle is Obstacle.ALIKE:
        return f"{num(f'{name}.alike')} of {num(f'{name}.known')} alike"
    if question.obstacle is Obstacle.THIN:
        return f"{num(f'{name}.used')} of {of_all} at a shared level"
    return f"asked, {num(f'{name}.k')} of {of_all}"


def within(outcome: str) -> Markdown:
    """Retrospective against other studies within therapies."""
    found = book().differences.within.get(outcome)
    if found is None:
        return Markdown(
            f"For {OUTCOME_LABELS[outcome]} too few therapies have studies of both kinds."
        )
    prefix = f"differences.within.{outcome}"
    therapies = ", ".join(label(members) for members in found.therapies)
    tells_more = excludes_one(found.odds_ratio)
    said = "which excludes one" if tells_more else "which includes one"
    return Markdown(
        f"For {OUTCOME_LABELS[outcome]}, {num(prefix + '.therapies')} therapies have both "
        f"({therapies}), with {num(prefix + '.k')} studies. The odds of response in "
        f"retrospective over those in other studies are {num(prefix + '.odds_ratio')} "
        f"({num('const.level')} CI {num(prefix + '.odds_ratio_low')} to "
        f"{num(prefix + '.odds_ratio_high')}), {said}."
    )


def funnels() -> Markdown:
    """A funnel for each pool with enough studies, and what the regression on size says."""
    parts = []
    for pool in pools():
        members = book().members(pool.prefix)
        ids = f"{section(pool.prefix)}-size"
        parts.append(f"### Size of studies: {title(members)} {{#{ids}}}\n")
        if pool.size is None:
            parts.append("All studies are of one size, so nothing can be tested.\n")
            continue
        parts.append(f"{size(pool)}\n")
        parts.append(
            figure(
                figure_name("funnel", pool.prefix),
                f"{title(members)}: rates and the number of patients. The upright line is the "
                f"pooled rate; {num('const.level')} of studies are expected between the limits.",
            )
        )
    return Markdown("\n".join(parts))


def size(pool: PoolDifferences) -> str:
    """What the regression of a pool on the size of its studies says."""
    assert pool.size
    name = key(pool.prefix, "size")
    ratio = pool.size.odds_ratio
    if not excludes_one(ratio):
        said = "The interval includes one: no association with size can be told, nor excluded."
    elif ratio.low > 1:
        said = "Smaller studies report higher rates."
    else:
        said = "Smaller studies report lower rates."
    rates = [
        f"{num(f'{name}.{word_}.estimate')} ({num(f'{name}.{word_}.ci_low')} to "
        f"{num(f'{name}.{word_}.ci_high')}) in a study of {num(f'{name}.{word_}.n')} patients"
        for word_ in ("small", "large")
    ]
    return (
        f"The fitted rate is {rates[0]}, as small as the smallest, and {rates[1]}, as large as "
        f"the largest: an odds ratio of {num(f'{name}.odds_ratio')} ({num('const.level')} CI "
        f"{num(f'{name}.odds_ratio_low')} to {num(f'{name}.odds_ratio_high')}). {said}"
    )


def too_few() -> Markdown:
    """How many pools cannot be asked anything, nor tested for small-study effects."""
    return Markdown(
        f"{num('differences.too_few')} of the {num('differences.several')} pools of several "
        f"studies, by therapy or drug class, have fewer than {num('const.regression_studies')}. "
        "They are asked nothing, and whether small studies differ in them cannot be tested."
    )
