"""The command line: choose the engine, build beside the output, look it over, swap it in."""

import argparse
import datetime
import os
import sys
from pathlib import Path

import matplotlib

from render.builtin import render_builtin
from render.downloads import add_downloads
from render.engine import Engine, choose_engine
from render.errors import BookError
from render.faults import find_faults
from render.project import Project
from render.quarto import render_with_quarto
from render.staging import staged


def main(arguments: list[str] | None = None) -> int:
    """Build the book; 0 if a new one is in place, 1 if the old one was kept."""
    parser = argparse.ArgumentParser(prog="python -m render", description=__doc__)
    parser.add_argument("--engine", choices=("auto", "quarto", "builtin"), default="auto")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="default: project.output-dir of _quarto.yml"
    )
    options = parser.parse_args(arguments)
    try:
        build(Path.cwd(), options.engine, options.output)
    except (BookError, OSError) as error:
        print(f"render: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("render: stopped; the last book is as it was", file=sys.stderr)
        return 1
    return 0


def build(root: Path, wish: str, output: Path | None) -> None:
    """Render the project at `root` and put the book at `output`.

    Raises:
        BookError: the project or the book has a fault; the old book has been left alone.
    """
    project = Project.read(root)
    engine = choose_engine(wish)
    print(f"render: engine {engine.name} ({engine.reason})", flush=True)
    place = (root / output if output else project.output_dir).resolve()
    if root.is_relative_to(place):
        raise BookError(f"{place} holds the project itself; choose another --output")
    environment = build_environment(project, engine)
    with staged(place) as folder:
        if engine.quarto:
            log = render_with_quarto(engine.quarto, project, folder, environment)
        else:
            render_builtin(project, folder, environment)
            log = ""
        add_downloads(root, folder)
        if faults := find_faults(folder, log):
            raise BookError.listing("the book is not good enough to publish", faults)
    for made in (place / "index.html", *place.glob("*.pdf")):
        print(f"render: {os.path.relpath(made, root)}", flush=True)


def build_environment(project: Project, engine: Engine) -> dict[str, str]:
    """The environment of every program of the build, the chapters' kernel among them."""
    environment = dict(os.environ)
    environment["BOOK_ENGINE"] = engine.name
    # `python` in pre-render commands must be this interpreter, with this project's packages.
    environment["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), environment.get("PATH", "")]
    )
    environment["QUARTO_PYTHON"] = sys.executable
    environment["TYPST_FONT_PATHS"] = str(figure_fonts())
    # Same input, same bytes: no set order and no clock may show through.
    environment.setdefault("PYTHONHASHSEED", "0")
    if project.date:
        midnight = datetime.datetime.combine(project.date, datetime.time(), datetime.UTC)
        environment.setdefault("SOURCE_DATE_EPOCH", str(int(midnight.timestamp())))
    return environment


def figure_fonts() -> Path:
    """matplotlib's folder of fonts: the figures' texts are set in its DejaVu Sans."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


if __name__ == "__main__":
    sys.exit(main())
