"""How things read on a page: moments, spans, outcomes; what changes by the second is left to the script."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from framework import terminal
from framework.terminal import moment_text
from modules.core.scheduler.dashboard.reasons import why
from modules.core.scheduler.showing.cleanups import bytes_text, target_of

_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\N{REPLACEMENT CHARACTER}")
_NUMBER = re.compile(r"(\d+)([a-z])")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")

OUTCOMES = {
    "succeeded": "good",
    "failed": "bad",
    "timed_out": "bad",
    "lost": "bad",
    "missed": "warn",
    "skipped": "quiet",
    "cancelled": "quiet",
    "running": "live",
    "pending": "wait",
    "paused": "warn",
    "completed": "good",
}
"""Of every state, the colour in which it is shown; its symbol and its word say the same."""


def when(moment: datetime | None, now: datetime, zone: str | None = None) -> Markup:
    """Return a `<time>` that says how far away a moment is, and on a closer look when exactly it is."""
    if moment is None:
        return Markup('<span class="none">-</span>')
    local = moment.astimezone(ZoneInfo(zone) if zone else UTC)
    exact = f"{local:%a %Y-%m-%d %H:%M:%S} {local.tzname()}"
    if zone not in (None, "UTC"):
        exact += f"\n{moment.astimezone(UTC):%a %Y-%m-%d %H:%M:%S} UTC"
    stamp = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}" data-zone="{}">{}</time>').format(
        stamp, exact, zone or "UTC", relative(moment, now)
    )


def span(duration: timedelta) -> str:
    """Return a duration to its two largest units, `4 min 10 s`, in the words in which the script counts on."""
    return _NUMBER.sub(lambda found: f"{found[1]} {'min' if found[2] == 'm' else found[2]}", terminal.span(duration))


def relative(moment: datetime, now: datetime) -> str:
    """Return `in 4 min 10 s`, `2 h ago`, `now`."""
    away = moment - now
    if abs(away) < timedelta(seconds=1):
        return "now"
    return f"in {span(away)}" if away > timedelta(0) else f"{span(-away)} ago"


def seconds(value: float | None) -> str:
    """Return how long something took."""
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 60 else span(timedelta(seconds=value))


def apart(offset: float) -> str:
    """Return how a machine's clock goes beside the database's, given the seconds that it is ahead."""
    if abs(offset) < 1:
        return "in step"
    return f"{span(timedelta(seconds=abs(offset)))} {'ahead' if offset > 0 else 'behind'}"


def mark(state: str, word: str | None = None) -> Markup:
    """Return a state as symbol, colour and word."""
    kind = OUTCOMES.get(state, "quiet")
    return Markup(
        '<span class="mark {kind}"><svg aria-hidden="true"><use href="#i-{state}"/></svg>{word}</span>'
    ).format(kind=kind, state=state, word=word or state.replace("_", " "))


def as_json(value: Any) -> str:
    """Return plain JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def number(value: float) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}"


def plural(count: int, word: str) -> str:
    """Return `1 task`, `2 tasks`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def local(moment: datetime, zone: str) -> str:
    """Return a moment on the clock of a zone: `Mon 2026-11-23 02:30:00 CET`."""
    return moment_text(moment, ZoneInfo(zone))


def tidy(text: str) -> str:
    """Return words about when with their moments as people write them."""
    return _MOMENT.sub(r"\1 \2 UTC", text)


def straight(text: str) -> str:
    """Return a sentence without what would turn the direction in which the rest of it is read."""
    return text.translate(_TURNING)


def counted(count: int, is_cut: bool, word: str = "") -> str:
    """Return `312`, or `10,000+` where nobody has counted further; with a word, `1 task`, `312 tasks`."""
    number_text = f"{count:,}{'+' if is_cut else ''}"
    return f"{number_text} {word}{'' if count == 1 else 's'}" if word else number_text


def runs_in_words(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return what a bar of runs, newest first, shows to those who see it."""
    if not runs:
        return "no runs"
    states = Counter(run["state"] for run in runs)
    told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.most_common())
    return f"the last {plural(len(runs), 'run')}: {told}; the newest {runs[0]['state'].replace('_', ' ')}"


def progress_of(told: Any) -> dict[str, Any] | None:
    """Return `{"percent", "count", "message"}` of what an execution last said; `percent` from 0 to 100, or None."""
    if not isinstance(told, dict):
        return None
    fraction, done, total = (_plain_number(told.get(name)) for name in ("fraction", "done", "total"))
    return {
        "percent": None if fraction is None else round(100 * min(max(fraction, 0.0), 1.0)),
        "count": "" if done is None or total is None else f"{done:,g} of {total:,g}",
        "message": str(told.get("message") or ""),
    }


def _plain_number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


FILTERS: dict[str, Callable[..., Any]] = {
    "seconds": seconds,
    "mark": mark,
    "apart": apart,
    "bytes": bytes_text,
    "target": target_of,
    "moment": datetime.fromisoformat,
    "day": lambda moment: f"{moment:%Y-%m-%d}",
    "as_json": as_json,
    "number": number,
    "plural": plural,
    "counted": counted,
    "tidy": tidy,
    "straight": straight,
    "local": local,
    "runs_in_words": runs_in_words,
    "progress": progress_of,
    "why": why,
    "kind": lambda state: OUTCOMES.get(state, "quiet"),
    "without": lambda values, name: {key: value for key, value in values.items() if key != name},
}
