"""What a process or a call costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Cost:
    """Wall time in seconds and the largest memory of all processes together, in MiB."""

    seconds: float
    mebibytes: float
    output: str = ""


def cost_of(command: list[str], folder: Path = ROOT) -> Cost:
    """Run a command with the code in a folder and measure it with all its children.

    What it writes to stderr is shown. Raises subprocess.CalledProcessError when it fails.
    """
    # As `python -m analysis` does: on tiny matrices threads only wait for one another.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(folder)}
    start, largest = time.perf_counter(), 0
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = psutil.Popen(command, cwd=folder, stdout=output, env=environment)
        while process.poll() is None:
            largest = max(largest, _memory(process))
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        return Cost(seconds, largest / MEBIBYTE, output.read())


def _memory(process: psutil.Process) -> int:
    """Bytes of a process with its children; what they share counts for each of them."""
    try:
        members = (process, *process.children(recursive=True))
        return sum(member.memory_info().rss for member in members)
    except psutil.NoSuchProcess:  # one of them has just ended
        return 0


def seconds(action: Callable[[], object]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def say(message: str) -> None:
    """A line about what is going on."""
    print(f"bench: {message}", file=sys.stderr, flush=True)
