"""What MkDocs is told beyond mkdocs.yml: more pages, the indent of lists, and that nothing comes from elsewhere."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

log = logging.getLogger("mkdocs.hooks")
FETCHED = re.compile(r"""<(?:script|img|source|iframe)\b[^>]*\bsrc(?:set)?=["']?(?:https?:)?//[^"'> ]+|<link\b[^>]*>""")
FOREIGN = re.compile(r"""(?:href|src(?:set)?)=["']?(?:https?:)?//""")
ITEM = re.compile(r"(?:\d+\.|-) ")
INDENT = 4  # by which MkDocs knows what belongs to an item; a forge goes by where its text begins, as our pages do
DOCS = Path(__file__).parent
DECISIONS = DOCS / "decisions"
OPERATIONS = "reference/operations.md"  # only in the site: it is docs/openapi.json, for people
OPERATIONS_HEAD = """# Every operation of REST

As the server tells it in [openapi.json](../openapi.json); [REST](../rest.md) has examples. Needs is the scope of the
token; refusals are problem documents with the codes of [errors](../errors.md) and of [HTTP](../http.md).
"""


def on_config(config: Any) -> Any:
    """List the pages of docs/decisions below the page that tells of them, and the operations behind REST."""
    (why,) = (pages["Why"] for pages in config.nav if "Why" in pages)
    (decisions,) = (each for each in why if "Decisions" in each)
    decisions["Decisions"] = ["why.md", *(f"decisions/{page.name}" for page in sorted(DECISIONS.glob("*.md")))]
    (reference,) = (pages["Reference"] for pages in config.nav if "Reference" in pages)
    rest = reference.index({"REST": "rest.md"})
    reference.insert(rest + 1, {"Every operation of REST": OPERATIONS})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the page of the operations."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, OPERATIONS, content=operations()))
    return files


def operations() -> str:
    """Return the page of every operation in docs/openapi.json, by its tag."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in json.loads((DOCS / "openapi.json").read_text())["paths"].items():
        for method, told in methods.items():
            by_tag.setdefault(told["tags"][0], []).append(operation(method.upper(), path, told))
    tags = (f"\n## {tag.capitalize()}\n\n" + "\n".join(rows) for tag, rows in by_tag.items())
    return OPERATIONS_HEAD + "".join(tags)


def operation(method: str, path: str, told: dict[str, Any]) -> str:
    """Return what is told of one operation, as a part of a page."""
    scopes = [f"`{scope}`" for need in told.get("security", []) for scopes in need.values() for scope in scopes]
    asked = [f"`{each['name']}`" for each in told.get("parameters", []) if each["in"] != "path"]
    facts = {"Needs": scopes or ["nothing"], "Takes": asked, "Answers": sorted(told["responses"])}
    lines = [f"- {name}: {', '.join(values)}" for name, values in facts.items() if values]
    return "\n".join([f"### `{method} {path}`\n", told["description"], "", *lines, ""])


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Indent what belongs to an item of a list by four, as MkDocs wants it."""
    lines, begins, is_code = [], 0, False
    for line in markdown.splitlines():
        is_code ^= line.startswith("```")
        item = None if is_code else ITEM.match(line)
        if item:
            begins = item.end()
        elif line.strip() and not line.startswith(" " * begins):
            begins = 0
        is_inside = begins and not item and line.strip()
        lines.append(" " * (INDENT - begins) + line if is_inside else line)
    return "\n".join(lines)


def on_post_page(output: str, page: Any, config: Any) -> str:  # noqa: ARG001  # as MkDocs calls it
    """Warn, which a strict build refuses, of a page for which a browser would fetch something from elsewhere."""
    for tag in FETCHED.findall(output):
        if FOREIGN.search(tag) and 'rel="canonical"' not in tag:
            log.warning("%s fetches from elsewhere: %s", page.file.src_uri, tag)
    return output
