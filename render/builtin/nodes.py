"""Walking pandoc's JSON: a node is {"t": type, "c": contents}, and nodes nest in lists."""

from collections.abc import Callable, Iterator
from typing import Any

Node = dict[str, Any]
# (identifier, classes, key-value pairs)
Attr = list[Any]
# For these types, where in the contents the Attr stands; None: the contents start with it.
ATTR_PLACE = {"Header": 1, "Table": 0, "Figure": 0}
WORDS = frozenset(("Str", "Space", "SoftBreak", "LineBreak"))
ATTR_TYPES = frozenset(
    ("Div", "Span", "Link", "Image", "Code", "CodeBlock", "Header", "Table", "Figure")
)


def find(tree: Any, *types: str) -> Iterator[Node]:
    """All nodes of the given types anywhere in `tree`, in the order of the text."""
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("t") in types:
                yield item
            item = list(item.values())
        stack.extend(inner for inner in reversed(item) if isinstance(inner, list | dict))


def rewrite(tree: Any, change: Callable[[Node], list[Node] | None]) -> Any:
    """A copy of `tree` with each node replaced by the nodes `change` gives, inner ones first.

    `change` returns None for a node that stays. `tree` itself is left as it is. Words and spaces
    are most of a book: they are not offered to `change`, and are shared, not copied.
    """
    if isinstance(tree, dict):
        return {
            key: rewrite(value, change) if isinstance(value, list | dict) else value
            for key, value in tree.items()
        }
    items: list[Any] = []
    for item in tree:
        if not isinstance(item, list | dict) or (type(item) is dict and item.get("t") in WORDS):
            items.append(item)
            continue
        copy = rewrite(item, change)
        replaced = change(copy) if isinstance(copy, dict) and "t" in copy else None
        if replaced is None:
            items.append(copy)
        else:
            items.extend(replaced)
    return items


def attr(node: Node) -> Attr:
    """The (identifier, classes, pairs) of a node that has them."""
    place: Attr = node["c"][ATTR_PLACE.get(node["t"], 0)]
    return place


def identifier(node: Node) -> str:
    """The node's id, empty if it has none."""
    return str(attr(node)[0])


def classes(node: Node) -> list[str]:
    """The node's classes."""
    found: list[str] = attr(node)[1]
    return found


def attribute(node: Node, name: str) -> str | None:
    """The value of one attribute."""
    return next((value for key, value in attr(node)[2] if key == name), None)


def text(tree: Any) -> str:
    """The plain text of inline nodes."""
    words = {"Space": " ", "SoftBreak": " ", "LineBreak": " "}
    parts = []
    for node in find(tree, "Str", "Code", *words):
        kind = node["t"]
        parts.append(words.get(kind) or (node["c"][1] if kind == "Code" else node["c"]))
    return "".join(parts)


def raw(kind: str, format_name: str, code: str) -> Node:
    """A RawBlock or RawInline."""
    return {"t": kind, "c": [format_name, code]}


def string(value: str) -> Node:
    """A Str."""
    return {"t": "Str", "c": value}


def span(class_name: str, inlines: list[Node]) -> Node:
    """A Span with one class, or with none."""
    return {"t": "Span", "c": [["", [class_name] if class_name else [], []], inlines]}


def link(inlines: list[Node], target: str, class_name: str) -> Node:
    """A Link with one class."""
    return {"t": "Link", "c": [["", [class_name], []], inlines, [target, ""]]}


def div(id_: str, class_names: list[str], pairs: list[list[str]], blocks: list[Node]) -> Node:
    """A Div."""
    return {"t": "Div", "c": [[id_, class_names, pairs], blocks]}
