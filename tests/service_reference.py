"""Writes docs/reference/service.md out of the signatures and docstrings of the scheduler's service.

`PYTHONPATH=.:tests python tests/service_reference.py` brings the page up to date.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from documents import ROOT

from modules.core.scheduler import SchedulerService
from modules.core.scheduler.testing import TestApplication

PAGE = ROOT / "docs" / "reference" / "service.md"
WIDTH = 100
HEAD = """# SchedulerService

Every method of the scheduler's service, as its code says: `app_context.get_service(SchedulerService)`, or
`"core.scheduler.service"` by name. Those that are `async` are awaited, and a [refusal](../errors.md) is a `Result`.
This page is made by `tests/service_reference.py`, and a test compares it.
"""
BY_NAME = """
## Operations by name

`await scheduler.perform(name, parameters)` calls these with plain JSON, checked against a schema that `operations()`
tells: for an agent, or another program. They are also functions of the module `core.scheduler`, which tasks may run.

| name | parameters | what it does |
| --- | --- | --- |
"""


class _Bare:
    """An annotation, shown without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


async def page() -> str:
    """Return the page as it should be."""
    async with TestApplication() as app:
        methods = dict(sorted(methods_of(app.scheduler).items()))
        operations = app.scheduler.operations()
    index = " · ".join(f"[{name}](#{name})" for name in methods)
    parts = [HEAD, f"\n{wrapped(index)}\n", *(entry(name, method) for name, method in methods.items()), BY_NAME]
    return "".join([*parts, *rows(operations)])


def methods_of(service: SchedulerService) -> dict[str, Callable[..., Any]]:
    """Return the public methods of the class, and what its parts have lent it."""
    named = {**vars(SchedulerService), **vars(service)}
    return {name: value for name, value in named.items() if name[0] != "_" and inspect.isroutine(value)}


def entry(name: str, method: Callable[..., Any]) -> str:
    """Return the section of one method."""
    docstring = inspect.getdoc(method)
    assert docstring, f"{name} has no docstring"
    return f"\n## {name}\n\n```python\n{signature(name, method)}\n```\n\n{docstring}\n"


def signature(name: str, method: Callable[..., Any]) -> str:
    """Return the line, or the lines, with which the method begins, without `self`."""
    known = inspect.unwrap(method)
    whole = inspect.signature(known)
    parameters = [
        each.replace(annotation=shown(each.annotation)) for each in whole.parameters.values() if each.name != "self"
    ]
    kind = "async def" if inspect.iscoroutinefunction(known) else "def"
    answer = resolved(whole.return_annotation, known)
    line = f"{kind} {name}{inspect.Signature(parameters)}"
    line = f"{line} -> {answer}"
    if len(line) <= WIDTH:
        return line
    inner = line[line.index("(") + 1 : line.rindex(") -> ")]
    listed = "".join(f"    {each},\n" for each in top_level(inner))
    return f"{kind} {name}(\n{listed}) -> {answer}"


def top_level(text: str) -> Iterator[str]:
    """Yield what stands between the commas outside all brackets."""
    depth, start = 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "[({") - (letter in "])}")
        if letter == "," and depth == 0:
            yield text[start:position].strip()
            start = position + 1
    yield text[start:].strip()


def shown(annotation: Any) -> Any:
    """Return the annotation as it is written."""
    if annotation is inspect.Parameter.empty:
        return annotation
    return _Bare(annotation if isinstance(annotation, str) else plain(annotation))


def resolved(annotation: Any, method: Any) -> str:
    """Return what a method returns, with the names that only its file knows spelt out."""
    alias = getattr(method, "__globals__", {}).get(annotation) if isinstance(annotation, str) else annotation
    return annotation if alias is None or isinstance(alias, type) else plain(alias)


def plain(annotation: Any) -> str:
    """Return a type without the places that its names are from."""
    return re.sub(r"\b[a-z_.]+\.(?=[A-Z])", "", str(annotation))


def rows(operations: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table of the operations by name."""
    for operation in operations:
        needed = operation["parameters"].get("required", [])
        names = [f"**{name}**" if name in needed else name for name in operation["parameters"].get("properties", ())]
        listed = ", ".join(names) if len(names) < 12 else "the keys of a [task](../tasks.md)"
        yield f"| `{operation['name']}` | {listed} | {operation['description']} |\n"


def wrapped(text: str) -> str:
    """Break a line of links between them."""
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > 118:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(asyncio.run(page()))
