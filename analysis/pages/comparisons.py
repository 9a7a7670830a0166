"""Sentences and tables of the chapter on randomised comparisons."""

from __future__ import annotations

from analysis.comparisons import CONTROL, TRIAL, Comparison, Contrast, Effects
from analysis.ledger import row_prefix
from analysis.prose import Markdown, book, counts, label, many, num, prediction, quoted
from analysis.selection import FATE_LABELS, OUTCOME_LABELS, OUTCOMES, POOLED
from analysis.tables import NONE, line, pipe_table, row_text, with_limits, words

#: What was counted, by the name of the background.
COUNTED = {
    "visit": "in response at a visit",
    "ever": "in response at least once",
    "durable": "durable response",
}


def trials(outcome: str) -> Markdown:
    """Each trial of an outcome: what was counted, when, and both sides' counts."""
    rows = [
        _trial(comparison, contrast)
        for comparison in book().comparisons.of("pool", outcome)
        for contrast in comparison.contrasts
    ]
    headers = ["Therapy and control", "Trial", "What was counted", "Month", "Treated", "Control"]
    return pipe_table(headers, rows, (24, 18, 28, 8, 12, 10), "lllrrr")


def _trial(comparison: Comparison, contrast: Contrast) -> list[str]:
    prefix = f"contrast.{comparison.prefix}.study.{contrast.study_id}"
    first = contrast.treated.rows[0]
    definition = book().selection.rows.set_index("address").at[first, "definition"]
    control = quoted(contrast.control_label, f"therapies#{contrast.control}#label")
    return [
        f"{label(comparison.members)} against {control}",
        f"@{contrast.study_id}",
        quoted(definition, f"outcomes#{first}#definition") if definition else NONE,
        num(row_prefix(first) + ".months") if contrast.months is not None else NONE,
        f"{num(prefix + '.treated_events')} / {num(prefix + '.treated_n')}",
        f"{num(prefix + '.control_events')} / {num(prefix + '.control_n')}",
    ]


def effects(outcome: str) -> Markdown:
    """Difference and ratio of each therapy, then of the classes with trials of several."""
    found = [c for basis in ("pool", "class") for c in book().comparisons.of(basis, outcome)]
    rows = [
        [
            label(comparison.members),
            many(f"contrast.{comparison.prefix}.k", "trial", "trials"),
            _effect(f"difference.{comparison.prefix}", comparison.difference),
            _per_100(comparison),
            _effect(f"ratio.{comparison.prefix}", comparison.ratio),
            _i2(comparison),
        ]
        for comparison in found
    ]
    headers = ["Therapy or class", "Trials", "Difference, percentage points"]
    headers += [f"Of {num('const.per_100_patients')} patients", "Ratio", "[I²]{.symbol}"]
    return pipe_table(headers, rows, (20, 11, 25, 15, 22, 7), "lrllll")


def _effect(prefix: str, effect: Effects) -> str:
    if effect.summary is None:
        return NONE
    cell = with_limits(prefix, bold=True)
    if effect.prediction:
        return f"{cell} {line(f'PI {prediction(prefix)}')}"
    return f"{cell} {line(num(prefix + '.state'))}"


def _per_100(comparison: Comparison) -> str:
    summary = comparison.difference.summary
    less = summary is not None and summary.estimate < 0
    number = num(f"difference.{comparison.prefix}.per_100")
    return f"about {number} {'fewer' if less else 'more'}"


def _i2(comparison: Comparison) -> str:
    known = comparison.difference.i2 is not None
    return num(f"difference.{comparison.prefix}.i2") if known else NONE


def beside(outcome: str) -> Markdown:
    """Each therapy's rate in all evidence, in both arms of its trials, and their difference."""
    rows = []
    for comparison in book().comparisons.of("pool", outcome):
        prefix = f"contrast.{comparison.prefix}"
        sides = (_side(f"{prefix}.{side}") for side in ("treated", "control"))
        rows.append(
            [
                label(comparison.members),
                f"{with_limits(comparison.prefix)} {line(counts(comparison.prefix))}",
                *sides,
                with_limits(f"difference.{comparison.prefix}"),
            ]
        )
    headers = ["Therapy", "All evidence", "Trials: treated", "Trials: control"]
    headers += ["Difference, percentage points"]
    return pipe_table(headers, rows, (17, 25, 19, 19, 20), "lllll")


def _side(prefix: str) -> str:
    """The rate of one side of the trials, and its counts."""
    counted = line(f"{num(prefix + '_events')} / {num(prefix + '_n')}")
    return f"{with_limits(prefix)} {counted}"


def background() -> Markdown:
    """Placebo by what was counted, by both models."""
    rows = []
    for name, found in book().comparisons.background.items():
        prefix, pool = found.members.prefix, found.pool
        glmm = pool.glmm and pool.glmm.summary
        rows.append(
            [
                COUNTED[name].capitalize(),
                num(f"{prefix}.k"),
                f"{num(f'{prefix}.events')} / {num(f'{prefix}.n')}",
                with_limits(prefix) if pool.summary else NONE,
                prediction(prefix) if pool.prediction else NONE,
                with_limits(prefix, "glmm_") if glmm else NONE,
            ]
        )
    headers = ["What was counted", "Trials", "Responders / patients"]
    headers += [f"Rate ({num('const.level')} CI)", "Prediction interval", "Binomial-normal model"]
    return pipe_table(headers, rows, (24, 8, 14, 19, 16, 19), "lrrlrl")


def background_rates() -> Markdown:
    """The background in half a sentence: each rate with what was counted."""
    parts = [
        f"{COUNTED[name]}: {num(f'{found.members.prefix}.estimate')}"
        for name, found in book().comparisons.background.items()
        if found.pool.summary
    ]
    return Markdown(", ".join(parts))


def uncompared() -> Markdown:
    """The randomised trials that give no comparison with a control: what they report, and why."""
    compared = {
        contrast.study_id
        for comparison in book().comparisons.by_prefix.values()
        for contrast in comparison.contrasts
    }
    studies, all_rows = book().evidence.studies, book().selection.rows
    rows = []
    for study_id in studies.loc[studies["design"].eq(TRIAL), "study_id"]:
        if study_id not in compared:
            of_study = all_rows[all_rows["study_id"].eq(study_id)]
            said = "; ".join(row_text(row) for row in of_study.itertuples())
            rows.append([f"@{study_id}", said or NONE, _why_not(study_id)])
    return pipe_table(["Trial", "What it reports", "Why not"], rows, (20, 55, 25), "lll")


def _why_not(study_id: str) -> str:
    """Why a randomised trial gives no comparison, in words."""
    chosen = book().selection
    rows = chosen.rows[chosen.rows["study_id"].eq(study_id)]
    if rows.empty:
        return FATE_LABELS[chosen.study_fates[study_id]]
    controls = rows[rows["drug_class"].eq(CONTROL)]
    if controls.empty:
        several = rows["therapy"].nunique() > 1
        return "active treatments compared" if several else "only the treated arms are known"
    codes = [words(code) for code in rows["exclusion"].drop_duplicates() if code]
    if codes:
        return ", ".join(codes)
    fates = [FATE_LABELS[fate] for fate in controls["fate"].drop_duplicates() if fate != POOLED]
    return ", ".join(fates) or "the sides are measured differently"


def sentence(prefix: str) -> str:
    """What the trials add to what a pool says; blank where there is no trial with a control."""
    if prefix not in book().comparisons.by_prefix:
        return ""
    compared = many(f"contrast.{prefix}.k", "randomised trial", "randomised trials")
    difference = f"difference.{prefix}"
    return (
        f"Against a control group, in {compared}, the difference was "
        f"{num(difference + '.estimate')} percentage points ({num(difference + '.ci_low')} to "
        f"{num(difference + '.ci_high')}; @sec-randomised)."
    )


def against_control(therapy: str) -> Markdown:
    """Whether any trial sets a therapy against a control, with the difference where one does."""
    prefixes = [f"pool.{therapy}.{outcome}" for outcome in OUTCOMES]
    name = label(book().members(prefixes[0]))
    found = [sentence(prefix) for prefix in prefixes if sentence(prefix)]
    if not found:
        return Markdown(
            f"{name} has no such trial: all that this book says of it comes from patients without "
            "a control group, or with another active treatment as their control."
        )
    return Markdown(f"{name}: {' '.join(found)}")


def not_compared_outcomes() -> Markdown:
    """The outcomes that no trial reports on both sides."""
    absent = [
        OUTCOME_LABELS[outcome]
        for outcome in OUTCOMES
        if not book().comparisons.of("pool", outcome)
    ]
    if not absent:
        return Markdown("Each outcome of this book is compared in some trial.")
    return Markdown(f"No trial allows the same for {' or '.join(absent)}.")


def shared_controls() -> Markdown:
    """Which control groups serve several therapies, so that comparisons lean on each other."""
    labels = dict(
        zip(book().evidence.therapies["therapy"], book().evidence.therapies["label"], strict=True)
    )
    said = []
    for study_id, therapies in book().comparisons.shared_controls():
        names = " and ".join(quoted(labels[t], f"therapies#{t}#label") for t in therapies)
        said.append(
            f"In @{study_id} {names} share a control group, so these comparisons are not "
            "independent."
        )
    return Markdown(" ".join(said) or "Here no control group serves several therapies.")
