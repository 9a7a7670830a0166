"""Rerun the simulation: python -m analysis.simulate [--record] [--quick] [--seed N].

Two cores take about five minutes. --record keeps the result for the book; --quick tries a
twentieth of the made-up data, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

# The matrices here are tiny: threads that share them out only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from analysis.report import RECORDS
from analysis.simulation import (
    DATASETS,
    GLMM_DATASETS,
    SCENARIOS,
    SEED,
    Outcome,
    Scenario,
    run,
    to_record,
)

RECORD = RECORDS / "simulation.json"


def main(arguments: list[str] | None = None) -> int:
    """Run every scenario, say how it goes, and keep the result where asked to."""
    parser = argparse.ArgumentParser(prog="python -m analysis.simulate")
    parser.add_argument("--record", action="store_true", help=f"keep the result in {RECORD.name}")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the made-up data")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    if options.quick and options.record:
        parser.error("a quick run is too coarse to be recorded")
    share = 20 if options.quick else 1
    started = time.monotonic()
    done: dict[Scenario, Outcome] = {}
    with ProcessPoolExecutor() as workers:
        # The slow ones first, so that no core waits for another at the end.
        running = {
            workers.submit(
                run, scenario, DATASETS // share, GLMM_DATASETS // share, options.seed
            ): scenario
            for scenario in sorted(SCENARIOS, reverse=True)
        }
        for future in as_completed(running):
            done[running[future]] = future.result()
            if len(done) % 5 == 0:
                elapsed = time.monotonic() - started
                print(f"simulate: {len(done)} of {len(SCENARIOS)} scenarios, {elapsed:.0f} s",
                      flush=True)  # fmt: skip
    found = [done[scenario] for scenario in SCENARIOS]
    worst = min(found, key=lambda outcome: outcome.covered)
    print(
        f"simulate: lowest coverage {worst.covered / (DATASETS // share):.1%} at "
        f"k = {worst.k}, rate {worst.rate:.0%}, tau2 {worst.tau2:g}"
    )
    if options.record:
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(as_text(to_record(found, options.seed)), encoding="utf-8")
        print(f"simulate: recorded in {RECORD.relative_to(RECORDS.parent.parent)}")
    return 0


def as_text(record: dict[str, object]) -> str:
    """The record as JSON, a scenario a line."""
    rows = record["rows"]
    assert isinstance(rows, list)
    head = json.dumps({**record, "rows": []}, indent=1).removesuffix("[]\n}")
    return head + "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n"


if __name__ == "__main__":
    sys.exit(main())
