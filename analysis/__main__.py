"""`python -m analysis`: from data/ to the ledger, the downloads and the figures of the book."""

from __future__ import annotations

import os
import sys

# The matrices here are tiny: threads that share them out only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from analysis import jobs, report
from analysis.faults import EvidenceError
from analysis.plots import gallery


def main() -> int:
    """Build everything the chapters need; 1 with all faults listed if the data are invalid."""

    def progress(message: str) -> None:
        print(f"analysis: {message}", flush=True)

    try:
        built = report.build(progress=progress)
    except EvidenceError as error:
        print(error, file=sys.stderr)
        return 1
    drawn = gallery.draw_all(built, progress=progress)
    report.save(built, drawn)
    jobs.forget_unused()
    progress(f"{len(built.ledger):,} numbers and {len(drawn)} figures are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
