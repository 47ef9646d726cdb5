"""Reads the project's own documents: their code blocks, links and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_CELL = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `mark` is the HTML comment on the line before it, which says what the block is."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The path that a mark `file: …` gives the block."""
        return self.mark.removeprefix("file: ") if self.mark.startswith("file: ") else None


def blocks(page: str) -> list[Block]:
    """Return the code blocks of a page, in order."""
    text = (ROOT / page).read_text()
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found["language"], found["mark"] or "", found["text"])
        for found in _BLOCK.finditer(text)
    ]


def without_blocks(page: Path) -> str:
    """Return a page's text without its code blocks."""
    return _BLOCK.sub("", page.read_text())


def first_cells(page: str) -> Iterator[str]:
    """Yield the first code word of every row of the page's tables."""
    for line in (ROOT / page).read_text().splitlines():
        if line.startswith("| `") and (found := _CELL.search(line)):
            yield found[1]


def sources() -> list[Path]:
    """Return every Python file that is shipped."""
    return sorted(path for folder in ("framework", "modules") for path in (ROOT / folder).rglob("*.py"))
