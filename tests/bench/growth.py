"""Data to ledger at the size of the evidence and at many times that: seconds and memory.

Each size is a copy of the project with data of its own (grown.py), so that nothing is remembered
from an earlier run; the shipped data are run a second time, when everything is.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.grown import grow
from tests.bench.measure import Cost, cost_of, say
from tests.projects import ROOT, copy_project

SIZES = (1, 10, 100)

_BUILD = """
import json, sys, time
from analysis import report

def progress(message):
    stages.append((message, time.perf_counter()))
    print(f"  {message}", file=sys.stderr, flush=True)

stages = []
start = time.perf_counter()
built = report.build(progress=progress)
end = time.perf_counter()
ends = [at for _, at in stages[1:]] + [end]
print(json.dumps({
    "studies": len(built.evidence.studies), "rows": len(built.evidence.outcomes),
    "numbers": len(built.ledger), "seconds": end - start,
    "stages": [(message, after - at) for (message, at), after in zip(stages, ends)],
}))
"""


def measure(most: int = SIZES[-1]) -> dict[str, Any]:
    """Measure the sizes up to `most`, print, and return what the record keeps."""
    found: dict[str, Any] = {"growth": []}
    print(f"{'data to ledger':24}{'studies':>9}{'rows':>9}{'numbers':>11}{'seconds':>9}{'MiB':>8}")
    for factor in (size for size in SIZES if size <= most):
        with tempfile.TemporaryDirectory() as folder:
            project = copy_project(Path(folder) / "project")
            grow(ROOT / "data", project / "data", factor)
            say(f"data to ledger, {factor} times the evidence, nothing known")
            built, cost = _build(project)
            _print(f"{factor} times the evidence", built, cost)
            size = {"factor": factor, "studies": built["studies"], "rows": built["rows"]}
            measured = {"seconds": _rounded(built["seconds"]), "mebibytes": round(cost.mebibytes)}
            found["growth"].append(size | measured)
            if factor == 1:
                say("data to ledger, everything known")
                again, cost = _build(project)
                _print("once more", again, cost)
                found["again"] = _rounded(again["seconds"])
    return found


def _build(project: Path) -> tuple[dict[str, Any], Cost]:
    cost = cost_of([sys.executable, "-c", _BUILD], project)
    return json.loads(cost.output), cost


def _print(name: str, built: dict[str, Any], cost: Cost) -> None:
    sizes = "".join(f"{built[part]:>{width},}" for part, width in
                    (("studies", 9), ("rows", 9), ("numbers", 11)))  # fmt: skip
    print(f"{name:24}{sizes}{built['seconds']:9.1f}{cost.mebibytes:8.0f}")
    for message, seconds in built["stages"]:
        print(f"    {message:58}{seconds:8.1f}", flush=True)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
