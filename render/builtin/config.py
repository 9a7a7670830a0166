"""What the built-in engine takes from `_quarto.yml`.

Every key is either used, knowingly ignored (it only concerns Quarto's looks or its own
machinery), or refused: a setting must not be dropped in silence.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from render.errors import BookError
from render.project import CONFIG_NAME, Project


def names(prefix: str, words: str) -> set[str]:
    """The dotted names of keys that stand under one key."""
    return {f"{prefix}{word}" for word in words.split()}


USED = frozenset(
    names("", "lang bibliography csl link-citations number-sections engine jupyter")
    | names("project.", "type output-dir execute-dir pre-render resources")
    | names("book.", "title subtitle author date description chapters appendices")
    | names("book.", "output-file repo-url downloads")
    | names("execute.", "echo output warning include eval")
    | names("format.html.", "toc toc-depth toc-title theme css code-fold include-in-header")
    | names("format.typst.", "toc toc-depth papersize margin mainfont fontsize citeproc")
    | names("format.typst.", "include-in-header")
)
IGNORED = frozenset(
    names("", "date-format brand editor")
    | names("project.", "title render preview")
    | names("book.", "sidebar page-navigation page-footer navbar search sharing site-url favicon")
    | names("book.", "repo-actions repo-branch reader-mode open-graph twitter-card date-format")
    | names("execute.", "freeze cache daemon enabled")
    | names("format.html.", "anchor-sections smooth-scroll code-copy code-tools code-link grid")
    | names("format.html.", "respect-user-color-scheme citations-hover crossrefs-hover")
    | names("format.html.", "footnotes-hover highlight-style mainfont monofont fontsize")
    | names("format.html.", "linestretch linkcolor toc-expand toc-location canonical-url axe")
    | names("format.html.", "html-table-processing lightbox link-external-newwindow")
    | names("format.typst.", "font-paths keep-typ section-numbering linestretch codefont")
    | names("format.typst.", "highlight-style page-numbering pdf-standard code-fold")
)
# Files that Quarto merges into the settings and this engine does not read.
OTHER_CONFIGS = ("_quarto.yml.local", "_metadata.yml", "_variables.yml", "_environment")


@dataclass(frozen=True)
class HtmlOptions:
    """`format.html`."""

    toc: bool
    toc_depth: int
    toc_title: str
    styles: list[Path]
    code_fold: bool | str
    header: str


@dataclass(frozen=True)
class PdfOptions:
    """`format.typst`; `variables` go to the Typst template as they are."""

    toc: bool
    toc_depth: int
    variables: dict[str, str]
    header: str


@dataclass(frozen=True)
class Book:
    """The settings of the whole book, checked."""

    title: str
    subtitle: str
    authors: list[str]
    date: str
    description: str
    chapters: list[str]
    appendices: list[str]
    output_file: str
    repo_url: str
    offers_pdf: bool
    lang: str
    bibliography: list[Path]
    csl: Path | None
    link_citations: bool
    number_sections: bool
    jupyter_everywhere: bool
    execute: dict[str, Any]
    pre_render: list[str]
    resources: list[str]
    html: HtmlOptions
    pdf: PdfOptions


def read_book(project: Project) -> Book:
    """Check and read the settings.

    Raises:
        BookError: an unknown key, a value of the wrong kind, or a file that does not exist.
    """
    refuse_unknown_keys(project.config, CONFIG_NAME, USED, IGNORED)
    for name in OTHER_CONFIGS:
        for folder in (project.root, project.root / "chapters"):
            if (folder / name).exists():
                raise BookError(f"{name}: the built-in engine reads {CONFIG_NAME} alone")
    settings = Settings(project)
    if settings.text("project.execute-dir", "project") != "project":
        raise BookError(f"{CONFIG_NAME}: project.execute-dir must be project")
    if settings.get("format.html.code-fold", False) not in (True, False, "show"):
        raise BookError(f"{CONFIG_NAME}: format.html.code-fold must be true, false or show")
    if settings.get("format.typst.citeproc", True) is not True:
        raise BookError(f"{CONFIG_NAME}: format.typst.citeproc must be true, as in the HTML")
    title = settings.text("book.title")
    if not title:
        raise BookError(f"{CONFIG_NAME}: book.title is missing")
    date = project.date
    return Book(
        title=title,
        subtitle=settings.text("book.subtitle"),
        authors=[author_name(author) for author in settings.items("book.author")],
        date=date.isoformat() if date else "",
        description=settings.text("book.description"),
        chapters=[settings.chapter(item) for item in settings.items("book.chapters")],
        appendices=[settings.chapter(item) for item in settings.items("book.appendices")],
        output_file=settings.text("book.output-file", project.root.name),
        repo_url=settings.text("book.repo-url"),
        offers_pdf="pdf" in settings.items("book.downloads"),
        lang=settings.text("lang", "en"),
        bibliography=[settings.file(item) for item in settings.items("bibliography")],
        csl=settings.file(settings.get("csl")) if settings.get("csl") else None,
        link_citations=settings.flag("link-citations", False),
        number_sections=settings.flag("number-sections", True),
        jupyter_everywhere=settings.get("engine") == "jupyter" or "jupyter" in project.config,
        execute={
            key: value
            for key, value in project.section("execute").items()
            if f"execute.{key}" in USED
        },
        pre_render=[str(item) for item in settings.items("project.pre-render")],
        resources=[str(item) for item in settings.items("project.resources")],
        html=HtmlOptions(
            toc=settings.flag("format.html.toc", True),
            toc_depth=int(settings.get("format.html.toc-depth", 3)),
            toc_title=settings.text("format.html.toc-title", "On this page"),
            styles=settings.styles(),
            code_fold=settings.get("format.html.code-fold", False),
            header=settings.header("format.html.include-in-header"),
        ),
        pdf=PdfOptions(
            toc=settings.flag("format.typst.toc", True),
            toc_depth=int(settings.get("format.typst.toc-depth", 2)),
            variables=settings.page_setup(),
            header=settings.header("format.typst.include-in-header"),
        ),
    )


def refuse_unknown_keys(
    config: dict[str, Any], name: str, used: frozenset[str], ignored: frozenset[str] = frozenset()
) -> None:
    """Raise a BookError that lists every key of `config` (the file `name`) not known here."""
    unknown = list(unknown_keys(config, used, ignored, ""))
    if unknown:
        raise BookError(
            f"{name}: the built-in engine does not know {', '.join(unknown)}; "
            "take it out, or render with Quarto (--engine quarto)"
        )


def unknown_keys(
    config: dict[str, Any], used: frozenset[str], ignored: frozenset[str], prefix: str
) -> list[str]:
    """The dotted names of the keys under `prefix` that are in neither set."""
    found = []
    for key, value in config.items():
        dotted = f"{prefix}{key}"
        if dotted in used or dotted in ignored:
            continue
        inside = any(known.startswith(f"{dotted}.") for known in used | ignored)
        if inside and isinstance(value, dict):
            found += unknown_keys(value, used, ignored, f"{dotted}.")
        elif not (inside and value is None):
            found.append(dotted)
    return found


def author_name(author: Any) -> str:
    """An author is a name, or a mapping with one."""
    if isinstance(author, dict):
        if isinstance(author.get("name"), str):
            return str(author["name"])
        raise BookError(f"{CONFIG_NAME}: book.author: each needs a name, found {author!r}")
    return str(author)


class Settings:
    """Looks values up by dotted name."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def get(self, dotted: str, default: Any = None) -> Any:
        """The value, or `default` where the key is absent or empty."""
        value: Any = self.project.config
        for key in dotted.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return default if value is None else value

    def text(self, dotted: str, default: str = "") -> str:
        """A value that is one text; lines become spaces."""
        value = self.get(dotted, default)
        if isinstance(value, dict | list):
            raise BookError(f"{CONFIG_NAME}: {dotted} must be one text, found {value!r}")
        return " ".join(str(value).split())

    def flag(self, dotted: str, default: bool) -> bool:
        """A value that is true or false."""
        value = self.get(dotted, default)
        if not isinstance(value, bool):
            raise BookError(f"{CONFIG_NAME}: {dotted} must be true or false, found {value!r}")
        return value

    def items(self, dotted: str) -> list[Any]:
        """A value that may be one or a list, as a list."""
        value = self.get(dotted, [])
        return value if isinstance(value, list) else [value]

    def file(self, value: Any) -> Path:
        """A path relative to the project's root."""
        path = self.project.root / str(value)
        if not path.is_file():
            raise BookError(f"{CONFIG_NAME}: no such file: {value}")
        return path

    def chapter(self, value: Any) -> str:
        """A chapter's path as it is written."""
        if not isinstance(value, str) or not value.endswith(".qmd"):
            raise BookError(f"{CONFIG_NAME}: a chapter must be the path of a .qmd, found {value!r}")
        self.file(value)
        return value

    def styles(self) -> list[Path]:
        """The project's own style files; names of Quarto's themes have no file and drop out."""
        theme = self.get("format.html.theme", {})
        if not isinstance(theme, dict):
            theme = {"light": theme}
        names: list[Any] = []
        for part in theme.values():
            names += part if isinstance(part, list) else [part]
        styles = [self.file(name) for name in names if str(name).endswith((".scss", ".css"))]
        styles += [self.file(name) for name in self.items("format.html.css")]
        return list(dict.fromkeys(styles))

    def header(self, dotted: str) -> str:
        """The text of an `include-in-header`: files by path or `file:`, or `text:` itself."""
        parts = []
        for item in self.items(dotted):
            if isinstance(item, dict) and isinstance(item.get("text"), str):
                parts.append(item["text"])
            else:
                name = item.get("file") if isinstance(item, dict) else item
                parts.append(self.file(name).read_text(encoding="utf-8"))
        return "\n".join(parts)

    def page_setup(self) -> dict[str, str]:
        """Paper, margins and type for the Typst template."""
        keys = ("papersize", "mainfont", "fontsize")
        setup = {key: self.text(f"format.typst.{key}") for key in keys}
        margin = self.get("format.typst.margin", {})
        if not isinstance(margin, dict):
            raise BookError(f"{CONFIG_NAME}: format.typst.margin must be a mapping, as x: 2.5cm")
        setup["margin"] = ", ".join(f"{side}: {width}" for side, width in margin.items())
        return {key: value for key, value in setup.items() if value}
