"""Draws the pictures of the house and of the states, from the tables of docs/states.md and from the floors below.

python docs/drawings.py        writes docs/pictures/{executions,tasks,house}.svg
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

DOCS = Path(__file__).parent
WIDE, HIGH = 116, 34  # pixels of a box
FIRST_COLUMN = 70
Point = tuple[int, int]

STYLE = """
  .box { fill: #f4f6f8; stroke: #5b6b7a; }  .edge { fill: none; stroke: #5b6b7a; }  .back { stroke-dasharray: 4 4; }
  .dot, .head { fill: #5b6b7a; }  text { font: 14px system-ui, sans-serif; fill: #1d2733; }
  .small { font-size: 12.5px; fill: #4a5866; }
  @media (prefers-color-scheme: dark) {
    .box { fill: #26313c; stroke: #9fb0c0; }  .edge { stroke: #9fb0c0; }  .dot, .head { fill: #9fb0c0; }
    text { fill: #e8eef4; }  .small { fill: #b6c3cf; }
  }
"""

# Where each state stands; what leads from one to another is read from the page.
PLACES: dict[str, dict[str, Point]] = {
    "executions": {
        "new": (10, 120),
        "pending": (70, 103),
        "running": (240, 103),
        "succeeded": (410, 15),
        "failed": (410, 59),
        "timed_out": (410, 103),
        "lost": (410, 147),
        "cancelled": (410, 191),
        "skipped": (70, 294),
        "missed": (70, 250),
    },
    "tasks": {
        "new": (10, 76),
        "pending": (70, 59),
        "paused": (70, 191),
        "completed": (330, 15),
        "failed": (330, 103),
        "cancelled": (330, 191),
    },
}
ENDS = {"succeeded", "failed", "timed_out", "lost", "cancelled", "completed", "skipped", "missed"}

HOUSE = (
    ("doors", ("command line", "REST", "dashboard", "code")),
    ("modules", ("modules/core/scheduler", "modules/core/access", "modules/standard", "your modules")),
    ("framework", ("two phases", "settings", "web", "migrations", "health", "audit")),
    ("database", ("SQLite", "PostgreSQL")),
    ("ground", ("Result", "errors", "clock", "duration", "strict JSON", "logging")),
)


def transitions(picture: str) -> list[tuple[str, str, str]]:
    """Return (from, to, when) of the table of docs/states.md that says it is drawn as this picture."""
    text = (DOCS / "states.md").read_text()
    table = text.split(f"<!-- drawn as pictures/{picture}.svg", 1)[1].split("\n\n")[1]
    rows = [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]
    return [(start, end, re.sub("`", "", when)) for start, end, when in rows]


def states(picture: str) -> str:
    """Return the drawing of one kind of states, as SVG."""
    places, rows = PLACES[picture], transitions(picture)
    shapes = [shape for start, end, _ in rows for shape in edge(places[start], places[end])]
    for name, (x, y) in places.items():
        shapes += [f'<circle class="dot" cx="{x}" cy="{y}" r="7"/>'] if name == "new" else box(x, y, WIDE, name)
        if name in ENDS:
            reasons = list(dict.fromkeys(when for _, end, when in rows if end == name))
            first = y + 22 - 8 * (len(reasons) - 1)
            shapes += [label(x + WIDE + 10, first + 16 * line, reason) for line, reason in enumerate(reasons)]
    return drawing(980, 345 if picture == "executions" else 245, shapes)


def edge(start: Point, end: Point) -> Iterator[str]:
    """Yield a line from one box to the next; back to an earlier one dashed, and up or down beside the column."""
    (x1, y1), (x2, y2) = start, end
    if x1 == x2:  # the same column: one beside the other, each in its direction
        shift = WIDE // 3 if y2 > y1 else 2 * WIDE // 3
        a, b = (y1 + HIGH, y2) if y2 > y1 else (y1, y2 + HIGH)
        yield arrow(f"M {x1 + shift} {a} V {b}", back=False)
    elif x2 > x1:
        b = (x2, y2 + HIGH // 2)
        if x2 - x1 > 2 * WIDE + 60:  # below what stands between
            a = (x1 + WIDE // 2, y1 + HIGH)
            curve = f"C {a[0]} {b[1]} {a[0] + 60} {b[1]}"
        else:
            a = (x1, y1) if x1 < FIRST_COLUMN else (x1 + WIDE, y1 + HIGH // 2)
            bend = (b[0] - a[0]) // 2
            curve = f"C {a[0] + bend} {a[1]} {b[0] - bend} {b[1]}"
        yield arrow(f"M {a[0]} {a[1]} {curve} {b[0]} {b[1]}", back=False)
    else:
        a, b = (x1, y1 + HIGH - 7), (x2 + WIDE, y2 + HIGH - 7)
        yield arrow(f"M {a[0]} {a[1]} C {a[0] - 60} {a[1]} {b[0] + 60} {b[1]} {b[0]} {b[1]}", back=True)


def arrow(path: str, *, back: bool) -> str:
    """Return a line with a head at its end."""
    return f'<path class="edge{" back" if back else ""}" d="{path}" marker-end="url(#head)"/>'


def box(x: int, y: int, width: int, name: str) -> list[str]:
    """Return a box with its name in the middle."""
    return [
        f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{HIGH}" rx="6"/>',
        f'<text x="{x + width // 2}" y="{y + 22}" text-anchor="middle">{escape(name)}</text>',
    ]


def label(x: int, y: int, text: str) -> str:
    """Return a line of small text."""
    return f'<text class="small" x="{x}" y="{y}">{escape(text)}</text>'


def house() -> str:
    """Return the drawing of the floors, as SVG: each imports only what stands below it."""
    shapes: list[str] = []
    for floor, (name, rooms) in enumerate(HOUSE):
        y, width = 15 + floor * 50, (850 - 10 * (len(rooms) - 1)) // len(rooms)
        shapes.append(label(10, y + 22, name))
        for place, room in enumerate(rooms):
            shapes += box(110 + place * (width + 10), y, width, room)
    return drawing(980, 15 + 50 * len(HOUSE), shapes)


def drawing(width: int, height: int, shapes: list[str]) -> str:
    """Return a whole SVG file that follows the reader's choice of light or dark."""
    head = (
        '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M 0 0 L 8 4 L 0 8 z"/></marker>'
    )
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{STYLE}</style>", f"<defs>{head}</defs>"]
    return "\n".join([*lines, *shapes, "</svg>", ""])


def pictures() -> dict[str, str]:
    """Return every drawing by the name of its file."""
    return {"executions.svg": states("executions"), "tasks.svg": states("tasks"), "house.svg": house()}


if __name__ == "__main__":
    for name, text in pictures().items():
        (DOCS / "pictures" / name).write_text(text)
