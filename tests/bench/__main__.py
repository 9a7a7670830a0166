"""`nox -s bench`: what the book costs, in parts that can be named (all of them if none is).

build    build and check, as ratios to the renderer's own floor
gosh     all subsets of twenty studies, as a ratio to R's metafor
growth   data to ledger at 1, 10 and 100 times the evidence, and once more with all known

--record keeps gosh and growth in analysis/records/cost.json, which the book prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tests.bench import build, gosh, growth
from tests.bench.measure import ROOT, cores

RECORD = ROOT / "analysis" / "records" / "cost.json"
#: What the record keeps, by part.
RECORDED: dict[str, Callable[[dict[str, Any], int], dict[str, Any]]] = {
    "gosh": lambda before, most: {"gosh": gosh.measure(before.get("gosh", {}))},
    "growth": lambda before, most: growth.measure(most),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and keep what is asked for."""
    parser = argparse.ArgumentParser(
        prog="nox -s bench --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = ["build", *RECORDED]
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[], metavar="PART")
    parser.add_argument("--record", action="store_true", help="keep the figures for the book")
    parser.add_argument("--most", type=int, default=100, help="largest size of the evidence (100)")
    options = parser.parse_args(arguments)
    chosen = options.parts or (list(RECORDED) if options.record else parts)
    print(f"{cores()} cores, Python {sys.version.split()[0]}", flush=True)
    before = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    record = {**before, "cores": cores()}
    for part in chosen:
        if part == "build":
            build.measure()
        else:
            record |= RECORDED[part](before, options.most)
    if options.record:
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(f"kept in {RECORD.relative_to(ROOT)}: build the book again, for it prints these")


if __name__ == "__main__":
    main()
