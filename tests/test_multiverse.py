"""Every analysis of a pool: what is one sample, what is counted, and what the sentence says."""

from __future__ import annotations

import re

import pytest

from analysis import multiverse
from analysis.estimators import two_step
from analysis.multiverse import (
    DEFAULT_METHOD,
    DEFAULT_SAMPLE,
    EVIDENCE,
    EXACT,
    Grid,
    Multiverse,
    Sample,
    as_interval,
    common_threshold,
    explore,
)
from analysis.pages import multiverse as page
from analysis.report import Report
from analysis.selection import Members, StudyCounts
from tests.test_prose import book  # noqa: F401

POOL = "pool.made.overall_response"
OWN = ((10, 20, 9), (20, 30, 12))


def study(threshold: float | None) -> StudyCounts:
    return StudyCounts(
        "a", "A", 2001, 1, 2, ("a/a/x/3",), 3.0, "at_timepoint", threshold, "rct", "x"
    )


def sample(choices: list[tuple[str, str]], counts: tuple[tuple[int, ...], ...]) -> Sample:
    names = (f"s{place}" for place in range(len(counts[0])))
    return Sample(tuple(choices), tuple(zip(names, *counts, strict=True)), ())


def explored(others: tuple[tuple[int, ...], ...] = ((), ())) -> Multiverse:
    """A pool whose `trials` set is `others`; all other sets are its own."""
    same = [(name, d) for name in EVIDENCE for d in ("analysed", "enrolled") if name != "trials"]
    grid = Grid(50.0, (sample(same, OWN), sample([("trials", "analysed")], others)))
    counts = [s.counts for s in grid.samples if s.k > 1]
    glmms = {c: as_interval(multiverse.exact(*c)[0]) for c in counts}
    return explore({POOL: grid}, {c: two_step(*c) for c in counts}, glmms)[POOL]


def test_each_sample_has_every_method_once() -> None:
    one = explored(((5, 5), (10, 11)))
    methods = [s.method for s in one.specifications]
    assert len(methods) == 2 * (2 * 4 * 3 + 1)
    assert len(set(methods)) == 25
    assert EXACT in methods


def test_a_single_study_or_none_is_shown_and_not_counted() -> None:
    alone, none = explored(((5,), (10,))), explored()
    for one, state in ((alone, "single study"), (none, "no study")):
        assert [s.state for s in one.specifications].count(state) == 1
        assert len(one.pooled) == 25
    assert alone.own_model(("trials", "analysed")) == 0.5
    assert none.own_model(("trials", "analysed")) is None


def test_what_cannot_be_estimated_is_a_state_and_not_counted() -> None:
    one = explored(((5, 10), (10, 20)))
    states = [s.state for s in one.specifications]
    assert states.count("cannot be estimated") == 8  # plain Knapp-Hartung on identical rates
    assert len(one.pooled) == 42
    nobody = explored(((0, 0), (10, 20)))
    failed = {s.method for s in nobody.specifications if s.state == "cannot be estimated"}
    assert EXACT in failed


def test_the_largest_move_is_that_of_a_choice_changed_alone() -> None:
    one = explored(((1, 2), (20, 30)))
    (choice, option), move = one.largest_move()
    assert (choice, option) == ("evidence", "trials")
    assert move == one.own_model(("trials", "analysed")) - one.own
    assert move < 0


def test_of_movements_that_print_alike_the_first_is_named() -> None:
    one = explored(OWN)
    name, move = one.largest_move()
    assert all(abs(other) <= abs(move) + multiverse.SAME_MOVE for other in one.moves().values())
    assert name in one.moves()


@pytest.mark.parametrize(
    ("stated", "common"),
    [([50.0, 50.0, 30.0, None], 50.0), ([50.0, 30.0], 30.0), ([None, None, 30.0], 30.0)],
)
def test_the_common_threshold_is_the_one_most_studies_state(
    stated: list[float], common: float
) -> None:
    members = Members(POOL, "made", "Made", "overall_response", tuple(map(study, stated)))
    assert common_threshold(members) == common


def test_where_no_study_states_a_threshold_there_is_none() -> None:
    assert common_threshold(Members(POOL, "made", "Made", "x", (study(None),))) is None


def test_equal_samples_are_one(shipped: Report) -> None:
    for one in shipped.multiverse.values():
        studies = [frozenset(s.studies) for s in one.samples]
        assert len(set(studies)) == len(studies)
        choices = [choice for s in one.samples for choice in s.choices]
        assert len(choices) == len(set(choices)) == 2 * len(EVIDENCE)


def test_the_books_own_analysis_is_its_pool(shipped: Report) -> None:
    for pool, one in shipped.multiverse.items():
        own = one.sample(DEFAULT_SAMPLE)
        found = [s for s in one.specifications if s.sample is own and s.method == DEFAULT_METHOD]
        assert len(found) == 1
        assert found[0].summary == pytest.approx(tuple(shipped.pools[pool].summary or ()))


@pytest.mark.parametrize(
    ("above", "low", "said"),
    [
        (1, 1, "All of them put the rate above [half], the lower limit included."),
        (1, 0.25, "All of them put the rate above [half], the lower limit in [X]."),
        (1, 0, "All of them put the rate above [half], the lower limit in none."),
        (0.5, 0.25, "Of these, [X] put the rate above [half], the lower limit in [X]."),
        (0.5, 0, "Of these, [X] put the rate above [half], the lower limit in none."),
        (0, 0, "None of them puts the rate above [half]."),
    ],
)
def test_words_follow_the_shares(
    book: Report,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    above: float,
    low: float,
    said: str,
) -> None:
    pool = next(iter(book.multiverse))
    monkeypatch.setattr(Multiverse, "above_half", property(lambda self: above))
    monkeypatch.setattr(Multiverse, "low_above_half", property(lambda self: low))
    shown = re.sub(r"\[([^\]]*)\]\{[^}]*\}", r"[\1]", page.sentence(pool))
    shown = shown[shown.index("points).") + 9 :]
    assert re.sub(r"\[\d[^\]]*\]", "[X]", shown) == said


def test_a_pool_without_studies_enough_is_not_asked(shipped: Report) -> None:
    several = {p for o in page.OUTCOMES for p in shipped.prefixes("pool", o, 2)}
    assert set(shipped.multiverse) == several
