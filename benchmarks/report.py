"""The table: one line for each figure, one column for each peer, and how ours compares with the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.catalogue import Case
from benchmarks.environments import OURS, RAW
from benchmarks.results import Results
from benchmarks.stores import TITLES

BETTER_WHEN_MORE = (
    "per second",
    "rows",
    "claimed",
    "dense",
    "every minute",
    "30 3",
    "the 13th",
    "monthly",
    "yearly",
    "29 Feb",
)
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of one case."""

    title: str
    case: str
    figure: str
    cells: dict[str, float]

    @property
    def more_is_better(self) -> bool:
        """Whether it is a rate rather than a cost."""
        return self.figure.startswith(BETTER_WHEN_MORE)

    @property
    def times_the_best(self) -> float | None:
        """How many times as good as the best peer ours is; None without both."""
        others = [value for peer, value in self.cells.items() if peer != OURS]
        ours = self.cells.get(OURS)
        if not ours or not others or not min(others):
            return None
        return ours / max(others) if self.more_is_better else min(others) / ours


def tables(cases: Sequence[Case], results: Results) -> Iterator[tuple[str, list[str], list[Line]]]:
    """Yield a title, the peers and the lines for each store."""
    for store in dict.fromkeys(case.store for case in cases):
        lines = [line for case in cases if case.store == store for line in _lines(case, results)]
        present = {peer for line in lines for peer in line.cells}
        peers = [peer for peer in dict.fromkeys(p for case in cases for p in case.peers) if peer in present]
        peers.sort(key=lambda peer: (peer != OURS, peer == RAW))
        if lines:
            yield TITLES.get(store, "Without a store"), peers, lines


def _lines(case: Case, results: Results) -> Iterator[Line]:
    measured = results.values.get(case.id, {})
    for figure in dict.fromkeys(name for figures in measured.values() for name in figures):
        cells = {peer: results.figure(case.id, peer, figure) for peer in measured}
        there = {peer: value for peer, value in cells.items() if value is not None}
        yield Line(f"{case.title}: {figure}", case.id, figure, there)


def in_markdown(cases: Sequence[Case], results: Results) -> str:
    """Return all tables for a page."""
    parts = []
    for title, peers, lines in tables(cases, results):
        parts += [f"### {title}", "", "| | " + " | ".join(peers) + " | to the best peer |"]
        parts.append("| --- |" + " ---: |" * (len(peers) + 1))
        for line in lines:
            cells = [number(line.cells.get(peer)) for peer in peers]
            parts.append(f"| {line.title} | " + " | ".join(cells) + f" | {times(line.times_the_best)} |")
        parts.append("")
    return "\n".join(parts)


def for_terminal(cases: Sequence[Case], results: Results, earlier: Results | None = None) -> str:
    """Return all tables for a terminal; with an earlier run, also ours divided by ours of then."""
    parts = []
    for title, peers, lines in tables(cases, results):
        width = max(len(line.title) for line in lines)
        parts += ["", title, " " * width + "".join(f"{peer:>15}" for peer in peers) + f"{'to the best':>15}"]
        for line in lines:
            cells = "".join(f"{number(line.cells.get(peer)):>15}" for peer in peers)
            then = f"{_since(line, earlier):>20}" if earlier else ""
            parts.append(f"{line.title:<{width}}{cells}{times(line.times_the_best):>15}{then}")
    return "\n".join(parts)


def _since(line: Line, earlier: Results) -> str:
    (peer, now), *_ = sorted(line.cells.items(), key=lambda cell: cell[0] != OURS)
    then = earlier.figure(line.case, peer, line.figure)
    return f"{now / then:.2f} x {number(then)}" if then else NOTHING


def number(value: float | None) -> str:
    """Write a number with three or four digits that mean something."""
    if value is None:
        return NOTHING
    if abs(value) >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def times(value: float | None) -> str:
    """Write a ratio."""
    return NOTHING if value is None else f"{value:.2g} x" if value < 10 else f"{value:,.0f} x"
