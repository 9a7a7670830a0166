# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""Sessions that build, check and test the book: `nox -l` lists them."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["book", "check"]

PROJECT = nox.project.load_toml("pyproject.toml")
CONSTRAINTS = "constraints.txt"
BOOK = "_book"
METAFOR = "data/reference/metafor.R"
COMPARISONS = "data/reference/comparisons.R"
GLMM = "data/reference/glmm.R"
REGRESSION = "data/reference/regression.R"
SUBSETS = "data/reference/gosh.R"
NEXT_STUDY = "data/reference/next_study.R"
ESTIMATORS = "data/reference/estimators.R"


def install(session: nox.Session, *groups: str) -> None:
    """Install dependency groups at the versions that constraints.txt pins."""
    needs = nox.project.dependency_groups(PROJECT, *groups)
    # pip compiles what it installs and uv does not unless asked; every import gains by it.
    session.install(*needs, "-c", CONSTRAINTS, env={"UV_COMPILE_BYTECODE": "1"})


@nox.session
def book(session: nox.Session) -> None:
    """Build the book, HTML and PDF (-- --engine quarto|builtin to choose the engine)."""
    install(session, "book")
    if not wants_builtin(session.posargs):
        install_quarto(session)
    session.run("python", "-m", "render", *session.posargs)


def wants_builtin(posargs: list[str]) -> bool:
    """Whether the command line asks for the built-in engine, which needs no Quarto."""
    return "--engine=builtin" in posargs or "builtin" in posargs


def install_quarto(session: nox.Session) -> None:
    """Try once to install Quarto into the session, where none is at hand.

    It may fail, for the package downloads Quarto from elsewhere; then the built-in engine serves.
    The attempt is remembered in the session's folder, so that a rebuild does not wait for it again.
    """
    import shutil

    attempted = Path(session.virtualenv.location) / "quarto-attempted"
    if os.environ.get("QUARTO_PATH") or shutil.which("quarto") or attempted.exists():
        return
    needs = nox.project.dependency_groups(PROJECT, "quarto")
    session.install(*needs, silent=True, success_codes=range(256))
    attempted.touch()


@nox.session
def check(session: nox.Session) -> None:
    """Check every number of the built book against the data."""
    install(session, "check")
    if not Path(BOOK).is_dir():
        session.error(f"there is no {BOOK}/ yet: run `nox -s book` first")
    session.run("python", "-m", "checks", *(session.posargs or [BOOK]))
    session.log(f"the book has been checked: open {BOOK}/index.html, or the PDF beside it;")
    session.log(f"what was found is in {BOOK}/checked.html")


@nox.session(default=False)
def mutate(session: nox.Session) -> None:
    """Attack the check with small random changes (-- --seed N --count N, --record to keep)."""
    install(session, "check")
    if not Path(BOOK).is_dir():
        session.error(f"there is no {BOOK}/ yet: run `nox -s book` first")
    session.run("python", "-m", "checks.mutate", BOOK, *session.posargs)


@nox.session(default=False)
def tests(session: nox.Session) -> None:
    """Run the tests (-- PYTEST ARGUMENTS)."""
    install(session, "tests")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style with ruff and types with mypy."""
    install(session, "tests", "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(default=False)
def serve(session: nox.Session) -> None:
    """Show the built book at http://localhost:8000 (-- PORT)."""
    if not Path(BOOK).is_dir():
        session.error(f"there is no {BOOK}/ yet: run `nox -s book` first")
    port = session.posargs[0] if session.posargs else "8000"
    session.run("python", "-m", "http.server", port, "--bind", "localhost", "--directory", BOOK)


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Remake the goldens in data/reference with R metafor (needs Rscript)."""
    install(session, "analysis")
    session.run("python", "-m", "analysis")
    pools, folder = "_report/data/pools.csv", "data/reference"
    session.run("Rscript", METAFOR, pools, folder, external=True)
    session.run("Rscript", ESTIMATORS, folder, external=True)
    session.run("Rscript", GLMM, folder, external=True)
    session.run("Rscript", SUBSETS, folder, external=True)
    session.run("Rscript", NEXT_STUDY, folder, external=True)
    session.run("Rscript", COMPARISONS, "figures", "data/therapies.csv", folder, external=True)
    session.run("Rscript", REGRESSION, "data", pools, "figures", folder, external=True)


@nox.session(default=False)
def simulate(session: nox.Session) -> None:
    """Try the methods on made-up studies (-- --quick, --seed N, --record to keep; minutes)."""
    install(session, "analysis")
    session.run("python", "-m", "analysis.simulate", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure what the book costs, beside R where it is installed (-- PART, --record to keep)."""
    install(session, "tests")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Remake constraints.txt, the pinned versions for Python 3.11 to 3.13."""
    session.install("uv")
    groups = [g for g in PROJECT["dependency-groups"] if g != "quarto"]
    session.run(
        "uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11",
        *(f"--group={group}" for group in groups), "--upgrade", "--no-header",
        "--no-annotate", "--no-emit-index-url", "-o", CONSTRAINTS,
    )  # fmt: skip
