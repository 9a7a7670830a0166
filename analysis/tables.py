"""The tables of the book as Markdown pipe tables, numbers tagged with their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis import trust
from analysis.ledger import STATE_WORDS, row_prefix
from analysis.prose import (
    Markdown,
    book,
    counts,
    escape,
    known,
    label,
    many,
    num,
    prediction,
    quoted,
    rate,
    version,
)
from analysis.results import FOCUS
from analysis.selection import FATE_LABELS, OUTCOME_LABELS, OUTCOMES

NONE = "–"


def pipe_table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int], align: str
) -> Markdown:
    """A pipe table; `widths` are in per cent, `align` has one of l, r, c per column."""
    marks = {"l": (":", "-"), "r": ("-", ":"), "c": (":", ":")}
    rule = [marks[a][0] + "-" * w + marks[a][1] for a, w in zip(align, widths, strict=True)]
    lines = ["| " + " | ".join(headers) + " |", "|" + "|".join(rule) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return Markdown("\n".join(lines) + "\n")


def numbered(name: str, table: Markdown, caption: str, classes: str = "") -> Markdown:
    """A numbered table `tbl-NAME` with its caption."""
    return Markdown(
        f"::: {{#tbl-{name}{classes and ' ' + classes}}}\n\n{table}\n{caption}\n\n:::\n"
    )


def line(text: str) -> str:
    """A line of its own within a cell: by its class in HTML, by a line break in the PDF."""
    return f"`#linebreak()`{{=typst}}[{text}]{{.line}}"


def pooled_cell(prefix: str) -> str:
    """A pool in a cell: rate with interval, below it the prediction interval or what it is."""
    pool = book().pools[prefix]
    if pool.summary is None:
        return NONE
    cell = with_limits(prefix, bold=True)
    if pool.prediction:
        return f"{cell} {line(f'PI {prediction(prefix)}')}"
    return f"{cell} {line(num(prefix + '.state'))}"


def with_limits(prefix: str, model: str = "", bold: bool = False) -> str:
    """A rate with its limits and no more words; `model` is blank or `glmm_`."""
    mark = "**" if bold else ""
    low, high = num(f"{prefix}.{model}ci_low"), num(f"{prefix}.{model}ci_high")
    return f"{mark}{num(f'{prefix}.{model}estimate')}{mark} {line(f'({low} to {high})')}"


def summary() -> Markdown:
    """The findings: therapies with at least two studies of overall response, alphabetically."""
    rows = []
    for prefix in book().prefixes("pool", "overall_response", 2):
        members = book().members(prefix)
        base = prefix.removesuffix("overall_response")
        section = f"chapters/04-overall-response.qmd#sec-overall_response-{members.unit}"
        name = f"[{label(members)}]({section})"
        limits = trust_limits(prefix)
        studies = many(prefix + ".k", "study", "studies")
        patients = many(prefix + ".n", "patient", "patients")
        rows.append(
            [
                (f"**{name}**" if members.unit == FOCUS else name)
                + f" {line(f'{studies}, {patients}')}",
                *(pooled_cell(base + outcome) for outcome in OUTCOMES),
                "; ".join(limits) if limits else "none of the rules",
            ]
        )
    headers = ["Therapy", "Overall", "Complete", "Durable, on drug", "Durable, off drug"]
    return pipe_table([*headers, "What limits trust"], rows, (20, 15, 15, 15, 15, 20), "llllll")


def trust_limits(prefix: str) -> list[str]:
    """What limits trust in a pool; how many studies it has is a number of the ledger."""
    pool = book().pools[prefix]
    return [
        num(f"{prefix}.state") if limit == STATE_WORDS[pool.state] else limit
        for limit in trust.limits(book().members(prefix), pool)
    ]


def pools(basis: str, outcome: str, min_k: int = 1) -> Markdown:
    """Every pool of a basis and outcome: studies, patients, rate, intervals, second model."""
    rows = []
    for prefix in book().prefixes(basis, outcome, min_k):
        pool, members = book().pools[prefix], book().members(prefix)
        glmm = with_limits(prefix, "glmm_") if known(prefix + ".glmm_estimate") else NONE
        rows.append(
            [
                label(members),
                num(prefix + ".k"),
                f"{num(prefix + '.events')} / {num(prefix + '.n')}",
                with_limits(prefix),
                prediction(prefix) if pool.prediction else NONE,
                num(prefix + ".i2") if pool.heterogeneity else NONE,
                glmm,
            ]
        )
    level = num("const.level")
    headers = ["Therapy", "Studies", "Responders / patients", f"Rate ({level} CI)"]
    headers += ["Prediction interval", "[I²]{.symbol}", "Binomial-normal model"]
    if basis == "class":
        headers[0] = "Drug class"
    return pipe_table(headers, rows, (17, 8, 14, 20, 16, 6, 19), "lrrllrl")


def cited() -> Markdown:
    """The six cited studies: what each reports, and whether it is pooled or why not."""
    rows = []
    chosen = book().selection
    studies = book().evidence.studies
    for study in (
        studies[studies["seed_reference"].notna()].sort_values("seed_reference").itertuples()
    ):
        said = [
            f"{label(m)}, {OUTCOME_LABELS[m.outcome]}: "
            f"{num(m.prefix + '.events')} of {num(m.prefix + '.n')}, {rate(m.prefix)}"
            for m in book().cited_pools(study.study_id)
        ]
        status = "single study, exact interval" if said else ""
        if not said:
            fate = chosen.study_fates[study.study_id]
            status = f"shown, not pooled: {FATE_LABELS[fate]}"
            of_study = chosen.rows[chosen.rows["study_id"].eq(study.study_id)]
            said = [row_text(row) for row in of_study.itertuples()] or ["no response figure"]
        rows.append([f"@{study.study_id}", "; ".join(said), status])
    return pipe_table(["Study", "What it reports", "In this book"], rows, (18, 57, 25), "lll")


def cited_beside_all(outcome: str = "overall_response") -> Markdown:
    """Therapies of the cited studies: what they give alone, and what all the evidence gives."""
    rows = []
    for cited_prefix in book().prefixes("cited", outcome):
        prefix = "pool." + cited_prefix.removeprefix("cited.")
        cells = (f"{with_limits(p)} {line(counts(p))}" for p in (cited_prefix, prefix))
        rows.append([label(book().members(prefix)), *cells])
    return pipe_table(["Therapy", "Cited alone", "All evidence"], rows, (20, 40, 40), "lll")


def row_text(row) -> str:  # type: ignore[no-untyped-def]
    """One row of the evidence in words: arm, outcome, counts or the bare percentage."""
    prefix = row_prefix(row.address)
    outcome = OUTCOME_LABELS.get(row.pool_outcome, row.outcome.replace("_", " "))
    name = f"{arm(row)}, {outcome}"
    if known(prefix + ".events"):
        return f"{name}: {num(prefix + '.events')} of {num(prefix + '.n')}"
    return f"{name}: {num(prefix + '.reported_percent')}, no denominator"


def arm(row) -> str:  # type: ignore[no-untyped-def]
    """The arm of a row, spaces for underscores."""
    return quoted(row.arm.replace("_", " "), f"outcomes#{row.address}#arm")


def flow() -> Markdown:
    """Where every row and study of the evidence went."""
    rows = [["In the evidence", num("flow.rows.total"), num("flow.studies.total")]]
    rows += [
        [label.capitalize(), num(f"flow.rows.{fate}"), num(f"flow.studies.{fate}")]
        for fate, label in FATE_LABELS.items()
    ]
    return pipe_table(["", "Rows", "Studies"], rows, (60, 20, 20), "lrr")


def exclusions() -> Markdown:
    """The codes that keep a row out of every pool, with what they mean and how often they occur."""
    place, described = field_of("outcomes", "exclusion")
    rows = [
        [
            escape(code),
            quoted(meaning, f"{place}/valueDescriptions/{code}"),
            num(f"flow.rows.excluded.{code}"),
        ]
        for code, meaning in described["valueDescriptions"].items()
        if known(f"flow.rows.excluded.{code}")
    ]
    return pipe_table(["Code", "Meaning", "Rows"], rows, (28, 60, 12), "llr")


def shared_patients() -> Markdown:
    """Studies left out of a pool because a fuller one may hold the same patients."""
    rows = [
        [label(m), OUTCOME_LABELS[m.outcome], f"@{left}", f"@{kept}"]
        for m in book().selection.members.values()
        if m.basis == "pool"
        for left, kept in m.shared
    ]
    return pipe_table(["Therapy", "Outcome", "Left out", "Kept"], rows, (20, 30, 25, 25), "llll")


def late_visits() -> Markdown:
    """Studies whose only figure for overall or complete response is from a late visit."""
    rows = [
        [
            label(m),
            OUTCOME_LABELS[m.outcome],
            f"@{study.study_id}",
            num(row_prefix(study.rows[0]) + ".months"),
        ]
        for m in book().selection.members.values()
        if m.basis == "pool"
        for study in m.late_studies
    ]
    return pipe_table(["Therapy", "Outcome", "Study", "Month"], rows, (25, 30, 30, 15), "lllr")


def studies() -> Markdown:
    """All studies with design, patients, therapies and what became of them."""
    evidence, chosen = book().evidence, book().selection
    once = chosen.rows.drop_duplicates(["study_id", "therapy"])
    names = [
        quoted(row.label, f"therapies#{row.therapy}#label")
        for row in once[["therapy", "label"]].itertuples()
    ]
    therapies = once.assign(name=names).groupby("study_id")["name"].agg(", ".join)
    rows = []
    for study in evidence.studies.sort_values(["year", "first_author"], kind="stable").itertuples():
        rows.append(
            [
                f"@{study.study_id}",
                therapies.get(study.study_id, NONE),
                words(study.design),
                f"{words(study.population)}, {words(study.itp_type)} ITP",
                words(study.line),
                FATE_LABELS[chosen.study_fates[study.study_id]],
            ]
        )
    headers = ["Study", "Therapies", "Design", "Patients", "Line", "In this book"]
    return pipe_table(headers, rows, (20, 22, 16, 15, 10, 17), "llllll")


def outcome_rows() -> Markdown:
    """Every row of outcomes.csv with its counts and its fate."""
    rows = []
    for row in book().selection.rows.sort_values(["year", "study_id"], kind="stable").itertuples():
        prefix = row_prefix(row.address)
        has_counts = known(prefix + ".events")
        printed = num(prefix + ".reported_percent") if known(prefix + ".reported_percent") else NONE
        rows.append(
            [
                f"@{row.study_id}",
                arm(row),
                OUTCOME_LABELS.get(row.pool_outcome, words(row.outcome)),
                num(prefix + ".months") if known(prefix + ".months") else "any",
                f"{num(prefix + '.events')} / {num(prefix + '.n')}" if has_counts else NONE,
                num(prefix + ".estimate") if has_counts else NONE,
                printed,
                FATE_LABELS[row.fate],
            ]
        )
    headers = ["Study", "Arm", "Outcome", "Month", "Events / n", "Rate", "Printed", "In this book"]
    return pipe_table(headers, rows, (17, 16, 17, 7, 11, 8, 8, 16), "lllrrrrl")


def words(code: str) -> str:
    """A code of the data as words: `rct` is spelt out, underscores are spaces."""
    return "randomised trial" if code == "rct" else escape(code.replace("_", " "))


def field_of(resource: str, name: str) -> tuple[str, dict]:  # type: ignore[type-arg]
    """Where the schema describes a column, and how."""
    for resource_place, found in enumerate(book().evidence.package["resources"]):
        for field_place, described in enumerate(found["schema"]["fields"]):
            if (found["name"], described["name"]) == (resource, name):
                where = f"package#/resources/{resource_place}/schema/fields/{field_place}"
                return where, described
    raise KeyError(f"no column {name!r} of {resource!r} in datapackage.json")


def constants() -> Markdown:
    """Constants that the book's rules and words use, each with its source."""
    published = set("const." + book().evidence.constants["constant"])
    rows = []
    for e in book().ledger:
        if e.key.startswith("const."):
            source = escape(e.source)
            if e.key in published:
                source = quoted(e.source, f"constants#{e.key.removeprefix('const.')}#source")
            rows.append([f"`{e.key}`", num(e.key), source])
    return pipe_table(["Constant", "Value", "Source"], rows, (40, 15, 45), "lrl")


STATS = ("k", "events", "n", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "p_above_50")
SPREAD = ("tau2", "tau2_low", "tau2_high", "i2", "q")
GLMM = ("glmm_estimate", "glmm_ci_low", "glmm_ci_high", "glmm_tau2")
BASES = {
    "pool": "All evidence, by therapy",
    "class": "All evidence, by drug class",
    "cited": "The cited studies alone",
    "second_line": "Studies of second-line patients only",
    "rescue": "Studies of rescue patients only",
    "rescue_month_3": "Rescue patients at the first of the visits",
    "rescue_month_6": "Rescue patients at the second of the visits",
    "rescue_month_12": "Rescue patients at the third of the visits",
}


def pool_ledger() -> Markdown:
    """All numbers of all pools, one pool a line with an address of its own."""
    stats = (*STATS, *SPREAD, *GLMM)
    headers = ["Pool", *(f"`{stat}`" for stat in stats)]
    parts = []
    for basis, title in BASES.items():
        prefixes = [p for outcome in OUTCOMES for p in book().prefixes(basis, outcome)]
        rows = [
            [f"[`{p}`]{{#{p}}}", *(num(f"{p}.{s}") if known(f"{p}.{s}") else NONE for s in stats)]
            for p in prefixes
        ]
        table = pipe_table(headers, rows, (6, *([2] * len(stats))), "l" + "r" * len(stats))
        parts.append(f"## {title} {{#sec-ledger-{basis}}}\n\n")
        parts.append(numbered(f"ledger-{basis}", table, f"{title}: every number.", ".wide-table"))
    return Markdown("\n".join(parts))


def dictionary() -> Markdown:
    """Every column of every table of the data, from the schema."""
    parts = []
    for place, resource in enumerate(book().evidence.package["resources"]):
        name, where = resource["name"], f"package#/resources/{place}"
        parts.append(f"## {escape(resource['path'])} {{#sec-data-{name}}}\n")
        parts.append(quoted(resource["description"], f"{where}/description") + "\n")
        rows = [
            dictionary_row(f"{where}/schema/fields/{number}", field)
            for number, field in enumerate(resource["schema"]["fields"])
        ]
        table = pipe_table(["Column", "Type", "Meaning", "Allowed"], rows, (18, 10, 37, 35), "llll")
        caption = f"Columns of {escape(resource['path'])}."
        parts.append(numbered(f"data-{name}", table, caption, ".wide-table"))
        rules = resource.get("rules", [])
        if rules:
            parts.append("Rules across columns:\n")
            parts += [
                f"- {', '.join(f'`{name}`' for name in rule['columns'])}: "
                + quoted(rule["message"], f"{where}/rules/{number}/message")
                for number, rule in enumerate(rules)
            ]
            parts.append("")
    return Markdown("\n".join(parts))


def dictionary_row(where: str, field: dict) -> list[str]:  # type: ignore[type-arg]
    """One column of the dictionary: name, type, description, and what is allowed in it.

    `where` is the place of the field in the schema.
    """
    constraints = field.get("constraints", {})
    meanings = field.get("valueDescriptions", {})
    allowed = []
    for value in constraints.get("enum", []):
        meaning = meanings.get(value, "")
        source = f"{where}/valueDescriptions/{value}"
        allowed.append(f"`{value}`" + (f" {quoted(meaning, source)}" if meaning else ""))
    if "pattern" in constraints:
        allowed.append(quoted(field["patternDescription"], f"{where}/patternDescription"))
    separator = "" if field.get("unit") == "year" else ","
    allowed += [
        f"{limit} {quoted(f'{constraints[bound]:{separator}}', f'{where}/constraints/{bound}')}"
        for bound, limit in (("minimum", "at least"), ("maximum", "at most"))
        if bound in constraints
    ]
    blank = field.get("blankMeans")
    allowed.append(f"blank: {quoted(blank, f'{where}/blankMeans')}" if blank else "never blank")
    kind = ", ".join(quoted(field[n], f"{where}/{n}") for n in ("type", "unit") if n in field)
    description = quoted(field["description"], f"{where}/description")
    return [f"`{field['name']}`", kind, description, "; ".join(allowed)]


def versions() -> Markdown:
    """What made this book, as build.json has it: version, digests, engine and packages."""
    build = book().build
    rows = [
        ["Version of the book", version()],
        ["Digest of the data", f'[`{build["data"]}`]{{.datum data-from="build#/data"}}'],
        ["Digest of the code", f'[`{build["code"]}`]{{.datum data-from="build#/code"}}'],
        ["Rendered by", quoted(build["engine"], "build#/engine")],
        ["Python", quoted(build["python"], "build#/python")],
        *([n, quoted(v, f"build#/packages/{n}")] for n, v in build["packages"].items()),
    ]
    return pipe_table(["", ""], rows, (30, 70), "ll")


def mutations() -> Markdown:
    """The last recorded attack on the check: changes made and noticed, by kind."""
    return trials("kinds", "mutation", ("made", "killed"), ["Change", "Made", "Noticed"])


def mutation_rules() -> Markdown:
    """Which rules of the check noticed the changes, and which no other rule noticed."""
    headers = ["Rule", "Noticed", "No other rule did"]
    return trials("rules", "mutation.rule", ("noticed", "alone"), headers)


def trials(part: str, family: str, stats: Sequence[str], headers: Sequence[str]) -> Markdown:
    """One part of the record of the attack: its entries in words, each with its numbers."""
    rows = [
        [
            quoted(entry["words"], f"mutations#/{part}/{name}/words"),
            *(num(f"{family}.{name}.{stat}") for stat in stats),
        ]
        for name, entry in book().trials[part].items()
    ]
    return pipe_table(headers, rows, (64, 18, 18), "lrr")
