"""Brings the tables and charts of docs/benchmarks.md up to date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import goals, report
from benchmarks.catalogue import Case
from benchmarks.chart import Group, drawn
from benchmarks.environments import ROOT
from benchmarks.results import Results, load
from benchmarks.stores import FULL, NORMAL, POSTGRES, TITLES

PAGE = ROOT / "docs" / "benchmarks.md"
FOLDER = ROOT / "docs" / "benchmarks"
LATEST = FOLDER / "latest.json"


@dataclass(frozen=True, slots=True)
class Chart:
    """Which figures of which cases one file draws."""

    name: str
    title: str
    lines: tuple[tuple[str, str, str], ...]  # case, figure, unit


_RATE = ("per second", "a second")


def _rates(store: str, *cases: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((f"{case}/{store}", *_RATE) for case in cases)


def _delays(store: str) -> tuple[tuple[str, str, str], ...]:
    burst = (f"burst/{store}", "last start ms", "last of 1,000, ms")
    return (f"lateness/{store}", "p50 ms", "p50, ms"), (f"lateness/{store}", "p99 ms", "p99, ms"), burst


_STORING = ("enqueue/one", "enqueue/callers", "enqueue/bulk")
CHARTS = (
    Chart("sqlite", TITLES[NORMAL], _rates(NORMAL, "drain/c100", "drain/c10", "drain/c100w2", *_STORING)),
    Chart("sqlite-full", TITLES[FULL], _rates(FULL, "drain/c100", *_STORING)),
    Chart("postgres", TITLES[POSTGRES], _rates(POSTGRES, "drain/c100", "drain/c10", "drain/c100w2", *_STORING)),
    Chart("lateness-sqlite", "How late what is due begins: SQLite", _delays(NORMAL)),
    Chart("lateness-postgres", "How late what is due begins: PostgreSQL", _delays(POSTGRES)),
    Chart("cron", "Next times of a cron expression", (("cron", "dense", "a second"), ("cron", "29 Feb", "a second"))),
)
TITLES_OF_FIGURES = {"dense": "*/5 9-17 * * mon-fri", "29 Feb": "0 0 29 2 *"}


def write(every: Sequence[Case], results: Results) -> None:
    """Write the page, the charts and the values; what was not measured now stays as it was."""
    FOLDER.mkdir(exist_ok=True)
    if LATEST.exists():
        results = load(LATEST).updated(results)
    results.save(LATEST)
    for chart in CHARTS:
        groups = list(_groups(chart, every, results))
        if groups:
            (FOLDER / f"{chart.name}.svg").write_text(drawn(chart.title, groups))
    text = PAGE.read_text()
    for mark, content in contents(every, results).items():
        text = _between(text, mark, content)
    PAGE.write_text(text)


def contents(every: Sequence[Case], results: Results) -> dict[str, str]:
    """Return what stands on the page between the marks of each name."""
    about = results.about
    machine = f"Measured {about['measured']}: Python {about['python']}, {about['system']}, {about['cores']} cores."
    machine += f" {_of_rounds(*results.rounds())}"
    if about.get("load"):
        machine += f" Load of the machine at the end of the run: {about['load']:.1f}."
    if about.get("changed"):
        machine += f" With other counts than `make bench` has: `{' '.join(about['changed'])}`."
    left_out = [f"- `{place}`: {why}" for place, why in sorted((results.skipped | results.broken).items())]
    tables = report.in_markdown(every, results)
    if left_out:
        tables += "\n### Left out in this run\n\n" + "\n".join(left_out)
    return {"machine": machine, "goals": goals.in_markdown(results), "results": tables}


def _of_rounds(fewest: int, most: int) -> str:
    if most <= 1:
        return "Each figure is of one round."
    count = f"{most}" if fewest == most else f"{fewest} to {most}"
    return f"Each figure is the median of {count} rounds."


def _groups(chart: Chart, every: Sequence[Case], results: Results) -> list[Group]:
    titles = {case.id: case.title for case in every}
    groups = []
    for case, figure, unit in chart.lines:
        found = {peer: results.figure(case, peer, figure) for peer in results.values.get(case, {})}
        values = {peer: value for peer, value in found.items() if value is not None}
        title = TITLES_OF_FIGURES[figure] if case == "cron" else titles.get(case, case)
        if values:
            groups.append(Group(title, unit, values, more_is_better=unit == "a second"))
    return groups


def _between(text: str, mark: str, content: str) -> str:
    """Replace what stands between `<!-- mark -->` and `<!-- end of mark -->`."""
    start, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{start}\n\n{content.strip()}\n\n{end}", text)


def marks(page: Path = PAGE) -> set[str]:
    """Return the names of the marks on the page that have an end."""
    text = page.read_text()
    return {mark for mark in re.findall(r"<!-- end of (\w+) -->", text) if f"<!-- {mark} -->" in text}
