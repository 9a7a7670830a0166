"""Attack the check: python -m checks.mutate BOOK_DIR [--seed N] [--count N] [--record].

Makes small changes to a finished book or its data, one at a time, and looks whether the check
notices each. Prints the survivors and a table by kind and by rule, and leaves every change with the
rules that noticed it in _report/mutants.csv. The exit code is 0 when every change was noticed. The
same seed makes the same changes to the same book.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from checks.audit import audit
from checks.book import MUTATIONS, Book, Project, read_book, read_project
from checks.faults import RULES, UnreadableError
from checks.mutants import KINDS

_COUNT = 1200
_EVERY_CHANGE = Path("_report/mutants.csv")


@dataclass(frozen=True)
class Trial:
    """One change and the rules that noticed it, none where it survived."""

    kind: str
    change: str
    rules: frozenset[str]

    @property
    def killed(self) -> bool:
        """Whether the check noticed."""
        return bool(self.rules)


def trial(book: Book, project: Project, seed: int, number: int) -> Trial:
    """Make the change of this number, its kind by turns, and check the book after it."""
    kind = list(KINDS)[number % len(KINDS)]
    make, _ = KINDS[kind]
    mutant = make(book, project, random.Random(f"{seed}/{number}"))
    found = audit(mutant.book, mutant.project)
    return Trial(kind, mutant.change, frozenset(fault.rule for fault in found.faults))


def trials(folder: Path, data: Path, seed: int, count: int) -> Iterator[Trial]:
    """Make so many changes in as many processes as there are cores; the order is always the same.

    Each process reads the book once.
    """
    with ProcessPoolExecutor(initializer=_read, initargs=(folder, data)) as pool:
        yield from pool.map(partial(_trial, seed), range(count), chunksize=len(KINDS))


_READ: list[tuple[Book, Project]] = []


def _read(folder: Path, data: Path) -> None:
    _READ.append((read_book(folder), read_project(Path.cwd(), data)))


def _trial(seed: int, number: int) -> Trial:
    return trial(*_READ[0], seed, number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m checks.mutate", description=__doc__)
    parser.add_argument("book", type=Path, metavar="BOOK_DIR", help="the folder of the built book")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the evidence (data/)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=_positive, default=_COUNT, help="number of changes")
    parser.add_argument("--record", action="store_true", help=f"keep the result in {MUTATIONS}")
    options = parser.parse_args(arguments)
    try:
        book, project = read_book(options.book), read_project(Path.cwd(), options.data)
    except UnreadableError as error:
        print(error)
        return 1
    if faults := audit(book, project).faults:
        print(f"{options.book}: is not sound before any change: {faults[0]}")
        return 1
    done = []
    for one in trials(options.book, options.data, options.seed, options.count):
        done.append(one)
        _progress(len(done), options.count)
    _list(done)
    for line in lines(done, options.seed):
        print(line)
    if options.record:
        text = json.dumps(record(done, options.seed), ensure_ascii=False, indent=1) + "\n"
        Path(MUTATIONS).write_text(text, encoding="utf-8")
        print(f"kept in {MUTATIONS}: build the book again, for it prints these figures")
    return 0 if all(one.killed for one in done) else 1


def _positive(text: str) -> int:
    """A number of changes as the command line gives it."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a whole number above 0")
    return int(text)


def _progress(made: int, count: int) -> None:
    if made % 50 == 0 or made == count:
        print(f"mutate: {made:,} of {count:,}", file=sys.stderr, flush=True)


def _list(done: Sequence[Trial]) -> None:
    """Leave every change with what became of it."""
    _EVERY_CHANGE.parent.mkdir(exist_ok=True)
    with _EVERY_CHANGE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["number", "kind", "change", "noticed", "rules"])
        for number, one in enumerate(done):
            noticed = "yes" if one.killed else "no"
            writer.writerow([number, one.kind, one.change, noticed, " ".join(sorted(one.rules))])


def lines(done: Sequence[Trial], seed: int) -> Iterator[str]:
    """Survivors, a table by kind, a table by rule, and the rate last."""
    for one in done:
        if not one.killed:
            yield f"survived ({one.kind}): {one.change}"
    made, killed = _by_kind(done)
    for kind, (_, words) in KINDS.items():
        yield f"{kind:10}{killed[kind]:>6,} of {made[kind]:>6,} noticed  {words}"
    noticed, alone = _by_rule(done)
    for rule in RULES:
        if noticed[rule]:
            yield f"{rule:10}{noticed[rule]:>6,} noticed, {alone[rule]:,} by this rule alone"
    total = sum(killed.values())
    yield f"seed {seed}: {total:,} of {len(done):,} changes noticed ({total / len(done):.1%})"


def record(done: Sequence[Trial], seed: int) -> dict[str, object]:
    """The result as the book prints it."""
    made, killed = _by_kind(done)
    noticed, alone = _by_rule(done)
    return {
        "seed": seed,
        "kinds": {
            kind: {"words": words, "made": made[kind], "killed": killed[kind]}
            for kind, (_, words) in KINDS.items()
        },
        "rules": {
            rule: {"words": words, "noticed": noticed[rule], "alone": alone[rule]}
            for rule, words in RULES.items()
            if noticed[rule]
        },
        "survivors": [f"{t.kind}: {t.change}" for t in done if not t.killed],
    }


def _by_kind(done: Sequence[Trial]) -> tuple[Counter[str], Counter[str]]:
    made = Counter(one.kind for one in done)
    return made, Counter(one.kind for one in done if one.killed)


def _by_rule(done: Sequence[Trial]) -> tuple[Counter[str], Counter[str]]:
    noticed = Counter(rule for one in done for rule in one.rules)
    return noticed, Counter(rule for one in done if len(one.rules) == 1 for rule in one.rules)


if __name__ == "__main__":
    sys.exit(main())
