"""Results are remembered by content, and nothing that does not read back exactly is trusted."""

from __future__ import annotations

import io
import os
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from analysis import jobs
from analysis.provenance import program_digest


def half(x: float, times: int) -> tuple[object, ...]:
    """A job that leaves a trace of having been run, in the folder of the test."""
    with open(os.environ["TRACES"], "a") as file:
        print(x, times, file=file)
    return x / 2, times, None, "words", (np.arange(times),)


def fails(x: float) -> float:
    raise ValueError(f"no {x}")


@pytest.fixture(autouse=True)
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jobs, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(jobs, "_used", set())
    monkeypatch.setenv("TRACES", str(tmp_path / "traces"))
    jobs._versions.cache_clear()
    yield tmp_path / "traces"
    jobs._versions.cache_clear()


def runs(traces: Path) -> int:
    return len(traces.read_text().splitlines()) if traces.exists() else 0


def kept() -> list[Path]:
    return sorted(jobs.CACHE.glob("*"))


JOBS = [(0.1, 2), (1 / 3, 1), (0.1, 2)]


def test_results_come_in_order_and_once_for_equal_jobs(traces: Path) -> None:
    found = jobs.run(half, JOBS)
    assert [x for x, *_ in found] == [0.05, 1 / 6, 0.05]
    assert runs(traces) == 2
    assert len(kept()) == 2


def test_what_is_remembered_is_the_same_to_the_last_digit_and_not_run_again(traces: Path) -> None:
    first, again = jobs.run(half, JOBS), jobs.run(half, JOBS)
    assert runs(traces) == 2
    for one, other in zip(first, again, strict=True):
        assert one[:-1] == other[:-1]
        assert (one[-1][0] == other[-1][0]).all()
        assert one[-1][0].dtype == other[-1][0].dtype


def test_other_arguments_are_other_jobs(traces: Path) -> None:
    jobs.run(half, [(0.1, 2)])
    jobs.run(half, [(0.1, 3)])
    jobs.run(half, [(1.0, 2), (1, 2)])  # an integer is no float
    assert runs(traces) == 4


def test_other_code_computes_again(traces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.run(half, JOBS)
    monkeypatch.setattr(jobs, "program_digest", lambda root: "other code")
    jobs._versions.cache_clear()
    jobs.run(half, JOBS)
    assert runs(traces) == 4


def test_another_version_of_a_package_computes_again(
    traces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run(half, JOBS)
    monkeypatch.setattr(jobs.metadata, "version", lambda name: "99")
    jobs._versions.cache_clear()
    jobs.run(half, JOBS)
    assert runs(traces) == 4


def test_the_digest_of_the_code_sees_every_module_of_the_analysis(tmp_path: Path) -> None:
    (tmp_path / "analysis" / "plots").mkdir(parents=True)
    module = tmp_path / "analysis" / "plots" / "one.py"
    module.write_text("a = 1\n")
    before = program_digest(tmp_path)
    module.write_text("a = 2\n")
    assert program_digest(tmp_path) != before


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: text.replace("0.05", "0.06"),
        lambda text: "\N{SNOWMAN}",
        lambda text: text.partition("\n")[2],
    ],
    ids=["truncated", "empty", "changed", "not ASCII", "without its seal"],
)
def test_a_damaged_entry_is_computed_again(damage, traces: Path) -> None:  # type: ignore[no-untyped-def]
    wanted = jobs.run(half, [(0.1, 2)])[0][0]
    (place,) = kept()
    place.write_text(damage(place.read_text()), encoding="utf-8")
    assert jobs.run(half, [(0.1, 2)])[0][0] == wanted
    assert runs(traces) == 2
    assert jobs.run(half, [(0.1, 2)])[0][0] == wanted
    assert runs(traces) == 2  # mended


def test_an_entry_under_another_name_is_computed_again(traces: Path) -> None:
    jobs.run(half, [(0.1, 2)])
    (wrong,) = kept()
    jobs.run(half, [(0.2, 2)])
    (place,) = set(kept()) - {wrong}
    place.write_bytes(wrong.read_bytes())
    assert jobs.run(half, [(0.2, 2)])[0][0] == 0.1
    assert runs(traces) == 3


def test_what_is_not_used_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.run(half, [(0.1, 2)])
    monkeypatch.setattr(jobs, "_used", set())  # the next build
    jobs.run(half, [(0.2, 2)])
    (jobs.CACHE / "left.part").touch()
    jobs.forget_unused()
    assert len(kept()) == 1
    jobs.run(half, [(0.2, 2)])


@pytest.mark.parametrize("error", [ImportError, NotImplementedError, PermissionError])
def test_without_processes_the_jobs_run_one_by_one(
    error: type[Exception], traces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(jobs, "ProcessPoolExecutor", refuse)
    monkeypatch.setattr(jobs, "_cores", lambda: 4)
    assert [x for x, *_ in jobs.run(half, JOBS)] == [0.05, 1 / 6, 0.05]


def test_when_the_processes_die_the_rest_runs_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Dying:
        def __init__(self, cores: int) -> None:
            pass

        def __enter__(self) -> Dying:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def submit(self, call) -> Dying:  # type: ignore[no-untyped-def]
            return self

        def result(self) -> None:
            pass

        def map(self, call, functions, tasks, chunksize):  # type: ignore[no-untyped-def]
            yield call(next(functions), tasks[0])
            raise BrokenProcessPool

    monkeypatch.setattr(jobs, "ProcessPoolExecutor", Dying)
    monkeypatch.setattr(jobs, "_cores", lambda: 4)
    assert [x for x, *_ in jobs.run(half, JOBS)] == [0.05, 1 / 6, 0.05]


def test_what_a_job_raises_is_raised_and_nothing_is_kept_of_it() -> None:
    with pytest.raises(ValueError, match=r"no 0\.5"):
        jobs.run(fails, [(0.5,), (0.6,)])
    assert not kept()


def test_where_nothing_can_be_kept_the_results_come_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert jobs.run(half, [(0.1, 2)])[0][0] == 0.05


@pytest.mark.parametrize("value", [[1], {1: 2}, np.float64(1), object()])
def test_what_would_not_come_back_the_same_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="numbers, words, tuples or arrays"):
        jobs.run(half, [(value, 1)])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    for stream in (io.StringIO(), Terminal()):
        with jobs._Progress("models", 1, 3, stream) as progress:
            progress.step()
            progress.step()
        said = stream.getvalue()
        assert "models: 3 of 3, 1 known" in said
        assert ("█" in said) == stream.isatty()
        assert said.endswith("\n")


def test_without_a_title_nothing_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    jobs.run(half, JOBS)
    assert capfd.readouterr().err == ""
