"""Independent jobs on all cores, their results kept in _report/cache/ by content.

A result is kept under a digest of the function's name, its arguments, all code of analysis/ and the
versions of what computes. What does not read back exactly as it was written is computed again, so
a file that is damaged, or stands under another's name, costs time and changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from importlib import metadata
from itertools import repeat
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from analysis.provenance import program_digest

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "_report" / "cache"
PACKAGES = ("numpy", "scipy", "pymare")

#: So many batches for each core: enough that no core waits long for another at the end.
BATCHES = 16
#: How an array stands in JSON: one key with its .npy bytes in base64.
ARRAY = "npy"
#: Seconds between two lines about progress where there is no terminal.
LINE_SECONDS = 5.0

_used: set[Path] = set()


def run(
    function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], title: str = ""
) -> list[Any]:
    """The results of function(*arguments) for each tuple of arguments, in their order.

    `function` stands at the top of a module of analysis/ and depends on nothing but its arguments.
    Arguments and results are made of numbers, words, None, tuples and numpy arrays; other things
    raise TypeError. `title` opens the progress on stderr; without it there is none. Jobs run in as
    many processes as there are cores, or one by one where the system does not allow that. What
    the function raises is raised here.
    """
    places = [CACHE / f"{_digest(function, arguments)}.json" for arguments in jobs]
    _used.update(places)
    results = {place: found for place in dict.fromkeys(places) if (found := _read(place))}
    waiting = {p: a for p, a in zip(places, jobs, strict=True) if p not in results}
    done = _each(function, list(waiting.values()))
    with _Progress(title, len(results), len(results) + len(waiting)) as progress:
        for place, value in zip(waiting, done, strict=True):
            results[place] = (value,)
            _write(place, value)
            progress.step()
    return [results[place][0] for place in places]


def forget_unused() -> None:
    """Remove what this process has not used from the cache, so that it does not grow for ever."""
    for place in CACHE.glob("*"):
        if place not in _used:
            place.unlink(missing_ok=True)


# --- what is kept ----------------------------------------------------------------------------


def _digest(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    named = [f"{function.__module__}.{function.__qualname__}", _versions(), _plain(arguments)]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    """The code and the programs that compute; read once, as a process runs the code it loaded."""
    packages = (f"{name} {metadata.version(name)}" for name in PACKAGES)
    return [program_digest(ROOT), platform.python_version(), *packages]


def _plain(value: Any) -> Any:
    """The value as JSON has it; raises TypeError where it would not come back the same."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        content = io.BytesIO()
        np.save(content, value, allow_pickle=False)
        return {ARRAY: base64.b64encode(content.getvalue()).decode("ascii")}
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"{type(value).__name__} {value!r}: give numbers, words, tuples or arrays")


def _back(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_back(part) for part in value)
    if isinstance(value, dict):
        return np.load(io.BytesIO(base64.b64decode(value[ARRAY])), allow_pickle=False)
    return value


def _seal(place: Path, content: str) -> str:
    """Ties a result to its place, so that neither damage nor a wrong name goes unnoticed."""
    return hashlib.sha256(f"{place.stem}\n{content}".encode()).hexdigest()


def _read(place: Path) -> tuple[Any] | None:
    """The result that is kept there, in a tuple of its own; None where there is none to trust."""
    try:
        seal, _, content = place.read_text(encoding="ascii").partition("\n")
        return (_back(json.loads(content)),) if seal == _seal(place, content) else None
    except (OSError, ValueError):
        return None


def _write(place: Path, value: Any) -> None:
    """Keep a result, whole or not at all; where nothing can be written, go on without."""
    content = json.dumps(_plain(value))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{_seal(place, content)}\n{content}")
            os.replace(name, place)
        except OSError:
            Path(name).unlink(missing_ok=True)
    except OSError:
        return


# --- how they run ----------------------------------------------------------------------------


def _each(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """The results in order, from several processes if possible."""
    done = 0
    cores = min(_cores(), len(jobs))
    executor = _executor(cores) if cores > 1 else None
    if executor:
        with executor:
            batch = max(1, len(jobs) // (cores * BATCHES))
            results = executor.map(_call, repeat(function), jobs, chunksize=batch)
            try:
                for result in results:
                    yield result
                    done += 1
            except BrokenProcessPool:
                pass  # a process was killed: the rest follows one by one
    for arguments in jobs[done:]:
        yield function(*arguments)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(*arguments)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _executor(cores: int) -> Executor | None:
    """Processes that answer; None where the system has no locks or lets none start."""
    try:
        executor = ProcessPoolExecutor(cores)
        executor.submit(_cores).result()
    except (ImportError, NotImplementedError, OSError, BrokenProcessPool):
        return None
    return executor


class _Progress:
    """A bar on a terminal; elsewhere a line at the start, now and then, and at the end."""

    def __init__(self, title: str, known: int, total: int, stream: TextIO | None = None) -> None:
        self._title, self._known, self._done, self._total = title, known, known, total
        self._stream = stream or sys.stderr
        self._start = self._last = time.monotonic()

    def __enter__(self) -> _Progress:
        self._say(first=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._title and self._stream.isatty():
            print(file=self._stream)

    def step(self) -> None:
        """One more job is done."""
        self._done += 1
        self._say()

    def _say(self, first: bool = False) -> None:
        if not self._title:
            return
        now = time.monotonic()
        share = self._done / self._total if self._total else 1.0
        known = f", {self._known} known" if self._known else ""
        words = f"{self._title}: {self._done} of {self._total}{known}, {now - self._start:.0f} s"
        if self._stream.isatty():
            bar = "█" * round(24 * share)
            print(f"\r{bar:░<24} {words}", end="", file=self._stream, flush=True)
        elif first or self._done == self._total or now - self._last > LINE_SECONDS:
            self._last = now
            print(words, file=self._stream, flush=True)
