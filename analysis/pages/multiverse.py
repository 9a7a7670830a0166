"""Chapter "Does it depend on the analyst?": its tables, its sections, and a sentence for each pool.

The words follow the numbers: which sentence is said depends on what all analyses give.
"""

from __future__ import annotations

from analysis.entries.multiverse import multiverse_prefix
from analysis.ledger import FORMATS
from analysis.plots.multiverse import WORDS, figure_name
from analysis.prose import Markdown, book, figure, label, num, reference, together, word
from analysis.selection import OUTCOME_LABELS, OUTCOMES
from analysis.tables import pipe_table

WHAT_MOVES = {
    "evidence": "the evidence",
    "denominator": "the denominator",
    "transform": "the scale",
    "estimator": "the estimator",
}

#: A movement too small to be printed.
NO_MOVE = FORMATS["points"](0.0)


def sentence(pool: str, linked: bool = True) -> Markdown:
    """How far the estimate of a pool hangs on the analyst, with the way to its section."""
    return _said(pool, f"Over {{}} (@{section(pool)})" if linked else "Over {}")


def _said(pool: str, opening: str) -> Markdown:
    """The same after an opening, in which braces stand for how many analyses there are."""
    of = multiverse_prefix(pool)
    return Markdown(
        f"{opening.format(num(of + '.specifications') + ' analyses')} the estimate runs from "
        f"{num(of + '.lowest')} to {num(of + '.highest')}, {num(of + '.down')} to "
        f"{num(of + '.up')} points from this book's own. {_move(pool)} {_half(pool)}"
    )


def section(pool: str) -> str:
    """The id of a pool's section."""
    _, unit, outcome = pool.split(".")
    return f"sec-robustness-{outcome}-{unit}"


def _move(pool: str) -> str:
    """Which choice, changed alone, moves the estimate most."""
    (choice, option), _ = book().multiverse[pool].largest_move()
    key = f"{multiverse_prefix(pool)}.moves.{choice}.{option}"
    if book().ledger[key].text == NO_MOVE:
        return "No choice that is changed alone moves it."
    return (
        f"The choice that moves it most when changed alone is {WHAT_MOVES[choice]} "
        f"({WORDS[option]}: {num(key)} points)."
    )


def _half(pool: str) -> str:
    """Whether "more than half respond" survives."""
    of, one = multiverse_prefix(pool), book().multiverse[pool]
    half, low = word("const.half"), one.low_above_half
    share = num(of + ".low_above_half")
    if one.above_half == 0:
        return f"None of them puts the rate above {half}."
    if one.above_half < 1:
        put = f"Of these, {num(of + '.above_half')} put the rate above {half}"
    elif low == 1:
        return f"All of them put the rate above {half}, the lower limit included."
    else:
        put = f"All of them put the rate above {half}"
    return f"{put}, the lower limit in " + (f"{share}." if low else "none.")


def choices() -> Markdown:
    """What was varied and why."""
    enrolled = sorted(
        {
            study.study_id
            for pool in book().multiverse
            for study in book().members(pool).studies
            if study.missing
        }
    )
    who = f" {reference(enrolled)}" if enrolled else ""
    rows = [
        ["Evidence", WORDS["default"], "the rules of @sec-selection"],
        ["", WORDS["strict"], "mixed studies blur whom the rate is about"],
        ["", WORDS["wide"], "rows whose reading is marked as uncertain may enter"],
        ["", WORDS["trials"], "randomised and single-arm trials have a protocol"],
        ["", WORDS["prospective"], "nobody was found by how well the treatment went"],
        ["", WORDS["rescue"], "patients in whom a second-line treatment had failed"],
        [
            "",
            WORDS["trials_first"],
            "of studies that share patients, randomised trials, then other trials, are kept, "
            "where the book keeps the fuller one",
        ],
        [
            "",
            WORDS["definition"],
            "the threshold that most studies of the pool state, the lower of equals; "
            "rows with another or none are left out",
        ],
        ["Denominator", WORDS["analysed"], "the patients that the source counts"],
        [
            "",
            WORDS["enrolled"],
            "patients who were enrolled but could not be assessed count as failures, in studies "
            f"with a single arm{who}; of studies with several it is not known which arm they "
            "were in, and some patients were perhaps never treated, so this is a lower bound",
        ],
        ["Scale", WORDS["logit"], "the usual scale of rates, with a correction at its ends"],
        [
            "",
            WORDS["arcsine"],
            "needs no correction, but what it averages has no plain meaning; for comparison only",
        ],
        ["Estimator", WORDS["dl"], "the oldest, by moments [@dersimonian1986]"],
        ["", WORDS["ml"], "tends to be too small with few studies"],
        ["", WORDS["reml"], "corrects that; the one of this book"],
        ["", WORDS["pm"], "by moments too, without a first guess [@paule1982]"],
        ["", WORDS["glmm"], "the counts as they are, with a profile likelihood interval"],
        ["Interval", WORDS["wald"], "takes the variance between studies as known"],
        [
            "",
            WORDS["kh"],
            "does not, but with few studies that agree by chance it can be absurdly narrow; for "
            "comparison only",
        ],
        ["", WORDS["kh_conservative"], "has a floor against that; the one of this book"],
    ]
    return pipe_table(["Choice", "Option", "What it means"], rows, (15, 30, 55), "lll")


def overview() -> Markdown:
    """Every pool: the book's estimate, the range of all analyses, and what share is above half."""
    rows = []
    for pool in pools():
        of, members = multiverse_prefix(pool), book().members(pool)
        rows.append(
            [
                f"[{label(members)}](#{section(pool)})",
                OUTCOME_LABELS[members.outcome],
                num(of + ".specifications"),
                num(pool + ".estimate"),
                num(of + ".lowest"),
                num(of + ".highest"),
                num(of + ".above_half"),
                num(of + ".low_above_half"),
            ]
        )
    headers = ["Therapy", "Outcome", "Analyses", "This book", "Lowest", "Highest"]
    half = num("const.half")
    headers += [f"Above {half}", f"Lower limit above {half}"]
    return pipe_table(headers, rows, (17, 23, 10, 10, 10, 10, 10, 10), "llrrrrrr")


def pools() -> list[str]:
    """The pools that were analysed in every way, by outcome and name."""
    return [
        pool
        for outcome in OUTCOMES
        for pool in book().prefixes("pool", outcome)
        if pool in book().multiverse
    ]


def sections(outcome: str) -> Markdown:
    """A section for every pool of an outcome: what the analyses give, and all of them drawn."""
    parts = []
    for pool in pools():
        members, one = book().members(pool), book().multiverse[pool]
        if members.outcome != outcome:
            continue
        said: str = _said(pool, f"Over {{}} of this pool (@sec-{outcome}-{members.unit})")
        if one.threshold is not None:
            said += (
                " The set of one threshold holds studies that counted a response from "
                f"{num(multiverse_prefix(pool) + '.threshold')} × [10⁹/L]{{.symbol}}."
            )
        heading = f"### {label(members)} {{#{section(pool)}}}"
        caption = f"{OUTCOME_LABELS[outcome].capitalize()}, {label(members)}: every analysis."
        parts.append(together(f"{heading}\n\n{said}\n\n{figure(figure_name(pool), caption)}"))
    return Markdown("\n".join(parts))
