"""Runs Quarto into a folder and keeps what it says."""

import os
import re
import subprocess
from pathlib import Path

from render.errors import BookError
from render.project import Project

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def render_with_quarto(
    program: Path, project: Project, folder: Path, environment: dict[str, str]
) -> str:
    """Render every format of the book into `folder` and return the log.

    Raises:
        BookError: Quarto failed; what it said has been printed.
    """
    command = [
        str(program),
        "render",
        "--output-dir",
        # Quarto takes the folder from the project's root.
        os.path.relpath(folder, project.root),
        # A kernel kept from an earlier run would hold that run's modules.
        "--no-execute-daemon",
    ]
    lines = []
    with subprocess.Popen(
        command,
        cwd=project.root,
        env={**environment, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(ANSI.sub("", line))
            print(lines[-1], end="", flush=True)
    if process.returncode:
        raise BookError(f"Quarto failed with exit code {process.returncode}; its log is above")
    return "".join(lines)
