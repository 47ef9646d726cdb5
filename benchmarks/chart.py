"""Bar charts as plain SVG that can be read on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.environments import OURS, RAW
from benchmarks.report import number

WIDTH, BAR, GAP, HEAD = 760, 18, 4, 30
LABELS, FIGURES = 130, 190
STYLE = """\
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .head { font-weight: 600 } .of { fill: #6e7781 }
.ours { fill: #1f6feb } .peer { fill: #8c959f } .raw { fill: none; stroke: #8c959f; stroke-dasharray: 3 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .of { fill: #9198a1 } }
</style>"""


@dataclass(frozen=True, slots=True)
class Group:
    """Bars of one measure, drawn to a scale of their own."""

    title: str
    unit: str
    values: dict[str, float]
    more_is_better: bool


def drawn(title: str, groups: Sequence[Group]) -> str:
    """Return an SVG with one block of bars for each group, the best bar first."""
    parts, top = [], HEAD
    for group in groups:
        block, top = _block(group, top)
        parts += block
    head = f'<text class="head" x="0" y="18">{escape(title)}</text>'
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    label = f'role="img" aria-label="{escape(title)}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {label}>', STYLE, head, *parts, "</svg>", ""])


def _block(group: Group, top: int) -> tuple[list[str], int]:
    better = "more is better" if group.more_is_better else "less is better"
    heading = f'{escape(group.title)} <tspan class="of">({escape(group.unit)}; {better})</tspan>'
    parts = [f'<text x="0" y="{top + 16}">{heading}</text>']
    y = top + 24
    longest = max(group.values.values()) or 1.0
    for peer, value in sorted(group.values.items(), key=lambda each: each[1], reverse=group.more_is_better):
        width = max(1.0, (WIDTH - LABELS - FIGURES) * value / longest)
        kind = {OURS: "ours", RAW: "raw"}.get(peer, "peer")
        middle = y + BAR - 5
        parts += [
            f'<text x="{LABELS - 8}" y="{middle}" text-anchor="end">{escape(peer)}</text>',
            f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{width:.1f}" height="{BAR}"/>',
            f'<text x="{LABELS + width + 8:.1f}" y="{middle}">{number(value)}{_ratio(group, peer, value)}</text>',
        ]
        y += BAR + GAP
    return parts, y + 10


def _ratio(group: Group, peer: str, value: float) -> str:
    """Return how many times as good as this peer ours is."""
    ours = group.values.get(OURS)
    if peer in (OURS, RAW) or not ours or not value:
        return ""
    ratio = ours / value if group.more_is_better else value / ours
    return f' <tspan class="of">(ours {number(ratio)} x)</tspan>'
