"""All subsets of twenty studies, beside R's metafor::gosh on the same machine in the same run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.statistics import reml_tau2
from tests.bench.measure import ROOT, cost_of, say

STUDIES, SEED = 20, 20
#: metafor's time grows with the number of subsets, so that some of them tell that of all.
METAFOR_SUBSETS = 2000
#: Subsets whose tau2 is compared with the exact root that the check finds.
COMPARED = 300
METHODS = ("DL", "REML")

Floats = NDArray[np.float64]

#: The shortest of nine runs (fewer if they are long), and what is needed to compare some tau2.
_OURS = """
import json, sys, time
import numpy as np
from analysis.subsets import gosh
y, v = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1).T
runs = []
while len(runs) < 9 and sum(runs) < 3:
    start = time.perf_counter()
    found = gosh(y, v, sys.argv[2])
    runs.append(time.perf_counter() - start)
some = np.random.default_rng(1).choice(len(found.k), int(sys.argv[3]), replace=False)
print(json.dumps({
    "seconds": min(runs), "subsets": len(found.k), "worst": found.worst_distance,
    "members": found.members[some, 0].tolist(), "tau2": found.tau2[some].tolist(),
}))
"""


def studies() -> tuple[Floats, Floats]:
    """Logits of made-up rates and their variances, shape (STUDIES,) each."""
    dice = np.random.default_rng(SEED)
    n = dice.integers(15, 120, STUDIES)
    events = dice.binomial(n, 1 / (1 + np.exp(-dice.normal(0.5, 0.8, STUDIES))))
    events = np.clip(events, 1, n - 1)
    return np.log(events / (n - events)), 1 / events + 1 / (n - events)


def measure(recorded: dict[str, Any]) -> dict[str, Any]:
    """Measure both, print, and return what the record keeps.

    Where R or metafor is missing, its figures stay those of the last record.
    """
    y, v = studies()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "studies.csv"
        np.savetxt(table, np.column_stack([y, v]), delimiter=",", header="y,v", comments="")
        say(f"metafor: {METAFOR_SUBSETS:,} subsets by DL and by REML")
        rival = _metafor(table)
        found: dict[str, Any] = {"studies": STUDIES, "metafor_subsets": METAFOR_SUBSETS}
        for method in METHODS:
            say(f"all subsets of {STUDIES} studies by {method}")
            command = [sys.executable, "-c", _OURS, str(table), method, str(COMPARED)]
            cost = cost_of(command)
            ours = json.loads(cost.output)
            found["subsets"] = ours["subsets"]
            kept = {"seconds": _rounded(ours["seconds"]), "mebibytes": round(cost.mebibytes)}
            if method == "REML":
                kept["worst"] = max(ours["worst"], _from_root(y, v, ours))
            measured = rival or recorded.get("metafor", {})
            kept["ratio"] = recorded.get(method, {}).get("ratio")
            if rival:
                whole = rival[method] * ours["subsets"] / METAFOR_SUBSETS
                kept["ratio"] = int(float(f"{whole / ours['seconds']:.2g}"))
            found[method] = kept
            where = "in the same run" if rival else "as recorded: no R with metafor here"
            print(
                f"GOSH, {ours['subsets']:,} subsets, {method:4} {ours['seconds']:7.2f} s"
                f" {cost.mebibytes:6.0f} MiB; metafor {kept['ratio']:,} times as long ({where})"
            )
        found["metafor"] = measured
    worst = found["REML"]["worst"]
    print(f"GOSH, worst distance of tau2 from the root of its score, over 1 + tau2: {worst:.1e}")
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def _metafor(table: Path) -> dict[str, Any]:
    """Seconds by method and metafor's version; nothing where R or metafor is missing."""
    if shutil.which("Rscript") is None:
        return {}
    script = ROOT / "tests" / "bench" / "gosh.R"
    command = ["Rscript", str(script), str(table), str(METAFOR_SUBSETS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {}
    said = dict(line.split() for line in done.stdout.splitlines())
    return {"version": said.pop("metafor"), **{method: float(said[method]) for method in METHODS}}


def _from_root(y: Floats, v: Floats, ours: dict[str, Any]) -> float:
    """How far some of the tau2 are from the roots that the check finds, over 1 + tau2."""
    worst = 0.0
    for members, tau2 in zip(ours["members"], ours["tau2"], strict=True):
        chosen = np.array([bool(members >> study & 1) for study in range(STUDIES)])
        root = reml_tau2(y[chosen], v[chosen])
        worst = max(worst, abs(tau2 - root) / (1 + root))
    return worst
