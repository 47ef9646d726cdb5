"""What MkDocs is told beyond mkdocs.yml: the decisions, the indent of lists, and that nothing comes from elsewhere."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

log = logging.getLogger("mkdocs.hooks")
FETCHED = re.compile(r"""<(?:script|img|source|iframe)\b[^>]*\bsrc(?:set)?=["']?(?:https?:)?//[^"'> ]+|<link\b[^>]*>""")
FOREIGN = re.compile(r"""(?:href|src(?:set)?)=["']?(?:https?:)?//""")
ITEM = re.compile(r"(?:\d+\.|-) ")
INDENT = 4  # by which MkDocs knows what belongs to an item; a forge goes by where its text begins, as our pages do
DECISIONS = Path(__file__).parent / "decisions"


def on_config(config: Any) -> Any:
    """List the pages of docs/decisions below the page that tells of them."""
    (why,) = (pages["Why"] for pages in config.nav if "Why" in pages)
    (decisions,) = (each for each in why if "Decisions" in each)
    decisions["Decisions"] = ["why.md", *(f"decisions/{page.name}" for page in sorted(DECISIONS.glob("*.md")))]
    return config


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
