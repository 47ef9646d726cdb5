"""How what lies ahead, given as the plain dicts of the services, reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from framework.terminal import moment_text, span
from modules.core.scheduler.trigger.anatomy import in_ranges

Shown = Mapping[str, Any]

TIME_COLUMNS = ("NEXT", "NOTES")
FIELD_COLUMNS = ("FIELD", "TEXT", "MEANS")
LOAD_COLUMNS = ("FROM", "COME", "RUN", "WAIT", "")
FINDING_COLUMNS = ("SEVERITY", "CODE", "TASK", "FINDING", "WHAT TO DO")
FINDING = "{text}; {advice}"
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_BAR = 40
NAMED = 5  # tasks of a pile-up


def time_rows(times: Iterable[Shown]) -> list[tuple[str, str]]:
    """Return one row of `TIME_COLUMNS` for each time, in the zone of its trigger."""
    return [
        (moment_text(each["at"], each["local"].tzinfo), "; ".join(note["text"] for note in each["notes"]) or "-")
        for each in times
    ]


def field_rows(fields: Mapping[str, Shown]) -> list[tuple[str, str, str]]:
    """Return one row of `FIELD_COLUMNS` for each field of a cron expression."""
    return [(name, field["text"], _meaning(name, field)) for name, field in fields.items()]


def _meaning(name: str, field: Shown) -> str:
    if field["text"] in ("*", "?"):
        return "every one"
    if field["values"] is None:
        return "by the month"
    if name == "day_of_week":
        return ", ".join(DAYS[value] for value in field["values"])
    return in_ranges(field["values"])


def load_rows(load: Sequence[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `LOAD_COLUMNS` for each part of the window: `█` for what runs, `░` for what waits."""
    fullest = max((bar["running"] + bar["waiting"] for bar in load), default=0)
    unit = max(fullest / LONGEST_BAR, 1)
    return [
        (
            moment_text(bar["at"]),
            *(str(bar[name]) for name in ("occurrences", "running", "waiting")),
            "█" * round(bar["running"] / unit) + "░" * round(bar["waiting"] / unit),
        )
        for bar in load
    ]


def verdict_of_forecast(told: Shown) -> Iterator[str]:
    """Yield what a forecast comes to, in a few lines."""
    if not told["total"]:
        yield f"nothing comes until {moment_text(told['until'])}"
        return
    where = "a node of these settings, for none lives" if not told["nodes"] else f"{told['nodes']} living"
    yield f"{told['total']:,} occurrences until {moment_text(told['until'])}, on {told['slots']} slots ({where})"
    if told["is_cut"]:
        yield "there are more: the forecast ends where 100,000 are reached"
    skipped = f", {told['skipped']:,} are skipped by overlap" if told["skipped"] else ""
    peak = told["peak"]
    yield f"{told['use']:.1%} of the slots' time; at most {peak['running']} run and {peak['waiting']} wait{skipped}"
    latest = told["late"]
    if latest is not None and latest["late"] > 0:
        yield f"the latest start: {latest['name']}, due {moment_text(latest['at'])}, {_span(latest['late'])} late"


def pile_up_lines(pile_ups: Iterable[Shown]) -> Iterator[str]:
    """Yield what piles up, and what would flatten it."""
    for pile_up in pile_ups:
        names = [task["name"] for task in pile_up["tasks"]]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        again = "" if pile_up["times"] == 1 else f", {pile_up['times']} times"
        yield ""
        yield f"{pile_up['count']} tasks at {moment_text(pile_up['at'])}{again}: {pile_up['waited']} have to wait"
        yield f"  {', '.join(names[:NAMED])}{more}"
        for advice in pile_up["advice"]:
            before, after = (f"{each['waiting']} wait, up to {_span(each['late'])}" for each in _both(advice))
            yield f"  {advice['text']}: now {before}; then {after}"


def what_if_lines(what_if: Shown | None) -> Iterator[str]:
    """Yield the figures before and after what was supposed; nothing where nothing was."""
    for name, figures in (what_if or {}).items():
        peak, late = figures["peak"], figures["late"]
        latest = "none late" if late is None or not late["late"] else f"the latest start {_span(late['late'])} late"
        most = f"at most {peak['running']} run and {peak['waiting']} wait"
        yield f"{name} what is supposed: {figures['total']:,} occurrences, {most}, {latest}"


def _both(advice: Shown) -> tuple[Shown, Shown]:
    return advice["before"], advice["after"]


def _span(seconds: float) -> str:
    return span(timedelta(seconds=seconds))


def finding_rows(findings: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `FINDING_COLUMNS` for each finding."""
    return [(each["severity"], each["code"], each["task"] or "-", each["text"], each["advice"]) for each in findings]


def verdict_of_findings(told: Shown) -> str:
    """Return how many tasks were looked at, and how many errors and warnings there are."""
    counts = {
        severity: sum(each["severity"] == severity for each in told["findings"]) for severity in ("error", "warning")
    }
    found = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items() if count)
    looked = f"{told['looked_at']:,} pending tasks looked at" + (", the newest ones" if told["is_cut"] else "")
    return f"{looked}: {found or 'nothing found'}"
