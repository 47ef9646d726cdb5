"""How cleanups, their reports and plans, given as the plain dicts of the services, read on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from framework.terminal import PROGRAM, minute_text, moment_text, span

Shown = Mapping[str, Any]

CLEANUP_COLUMNS = ("NEXT", "LEFT", "LAST", "STATE", "CLEANUP", "WHAT", "WHEN")
REPORT_COLUMNS = ("STARTED", "CLEANUP", "RUN", "MATCHED", "DELETED", "BYTES", "KEPT", "SKIPPED", "TOOK", "SAYS")
TREND_COLUMNS = ("DAY", "RUNS", "DRY", "FAILED", "MATCHED", "DELETED", "BYTES", "FREED", "TOOK")
COMPLIANCE_COLUMNS = ("CLEANUP", "COMPLIANT", "OLDEST", "CHECKED", "SAYS")
ARCHIVE_COLUMNS = ("ARCHIVE", "HOLDS", "BYTES", "EXPIRES")
CLEANUP_FIT = {"spare": ("LAST", "WHEN"), "elastic": ("CLEANUP", "WHAT", "WHEN")}
REPORT_FIT = {"spare": ("KEPT", "SKIPPED", "BYTES", "TOOK"), "elastic": ("CLEANUP", "SAYS")}
COMPLIANCE_FIT = {"spare": ("CHECKED",), "elastic": ("CLEANUP", "SAYS")}
MARK = " !!"
LONGEST = 100  # of a sentence in a row; `--json` gives all of it


def cleanup_rows(cleanups: Iterable[Shown], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `CLEANUP_COLUMNS` for each cleanup."""
    return [
        (
            minute_text(each["next_run"] if each["enabled"] else None),
            span(each["next_run"] - now) if each["enabled"] and each["next_run"] else "-",
            minute_text(each["last_run"]),
            "on" if each["enabled"] else "off",
            name_of(each),
            target_of(each["config"]),
            _when(each["config"]),
        )
        for each in cleanups
    ]


def name_of(cleanup: Shown) -> str:
    """Return a cleanup's name: `module/type`."""
    return f"{cleanup['module_id']}/{cleanup['cleanup_type']}"


def target_of(config: Shown) -> str:
    """Return what a cleanup is about."""
    if "table_name" in config:
        return f"rows of {config['table_name']}"
    if "directory" in config:
        return f"files {config['directory']}/{config.get('pattern', '*')}"
    return f"function {config['function_name']}" if "function_name" in config else "unreadable"


def _when(config: Shown) -> str:
    every = f"every {config['cleanup_interval']}" if config.get("cleanup_interval") else str(config.get("cron", "-"))
    return f"{every}, {config['window']}" if config.get("window") else every


def cleanups_verdict(cleanups: Sequence[Shown], held: Sequence[Shown]) -> str:
    """Return how many cleanups there are, and whether they are frozen."""
    told = [_count(len(cleanups), "cleanup")]
    if off := sum(not each["enabled"] for each in cleanups):
        told.append(f"{off} off")
    told += [frozen(each) for each in held if each["scope"] == "cleanups:*"]
    return ", ".join(told)


def frozen(held: Shown) -> str:
    """Return that cleanups are frozen, since when and why."""
    why = f" ({held['reason']})" if held["reason"] else ""
    return f"frozen since {moment_text(held['since'])}{why}: {PROGRAM} cleanups unfreeze"


def cleanup_facts(cleanup: Shown) -> list[tuple[str, str]]:
    """Return what there is to know of a cleanup, as `(label, text)`."""
    facts = [
        ("cleanup", name_of(cleanup)),
        ("id", cleanup["id"]),
        ("task", cleanup["task_id"]),
        ("state", "on" if cleanup["enabled"] else "off"),
        ("last", moment_text(cleanup["last_run"])),
        ("next", moment_text(cleanup["next_run"] if cleanup["enabled"] else None)),
    ]
    return facts + [(name, str(value)) for name, value in cleanup["config"].items()]


def report_rows(reports: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `REPORT_COLUMNS` for each report."""
    return [
        (
            moment_text(_moment(each["started_at"])),
            str(each["cleanup_type"]),
            ("dry" if each["dry_run"] else "ok") if each["success"] else f"failed{MARK}",
            str(each["matched"]),
            str(each["deleted"]),
            bytes_text(each["bytes"]),
            _counts(each["kept"]),
            _counts(each["skipped"]),
            "-" if each["seconds"] is None else span(timedelta(seconds=each["seconds"])),
            _shortened("; ".join(filter(None, [*each["errors"], _along(each["cascades"]), each["note"]]))) or "-",
        )
        for each in reports
    ]


def ran(total: Shown) -> str:
    """Return what a run came to, in one line."""
    took = "" if total["seconds"] is None else f" in {span(timedelta(seconds=total['seconds']))}"
    along = f", {_along(total['cascades'])}" if total["cascades"] else ""
    if total["dry_run"]:
        return f"dry run{took}: {total['matched']} would go{along}, {bytes_text(total['bytes'])}; nothing was deleted"
    done = "".join(f", {count} {what}" for what, count in total["done"].items())
    return f"{total['deleted']} deleted{done}{along}, {bytes_text(total['bytes'])}{took}"


def _along(cascades: Mapping[str, int]) -> str:
    told = ", ".join(f"{_count(count, 'row')} of {table}" for table, count in cascades.items())
    return f"along with {told}" if told else ""


def trend_rows(days: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `TREND_COLUMNS` for each day."""
    return [
        (
            each.get("day", "total"),
            str(each["runs"]),
            str(each["dry_runs"]),
            str(each["failures"]) + (MARK if each["failures"] else ""),
            str(each["matched"]),
            str(each["deleted"]),
            bytes_text(each["bytes"]),
            bytes_text(each["freed_bytes"]),
            span(timedelta(seconds=each["seconds"])),
        )
        for each in days
    ]


def compliance_rows(checks: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `COMPLIANCE_COLUMNS` for each cleanup that was looked at."""
    words = {True: "yes", False: f"no{MARK}", None: "unknown"}
    return [
        (
            name_of(each),
            words[each["compliant"]],
            moment_text(each["oldest"]),
            moment_text(each["checked_at"]),
            each["says"],
        )
        for each in checks
    ]


def plan_lines(plan: Shown) -> list[str]:
    """Return what a plan says, line by line."""
    rows = [f"{_count(count, 'row')} of {table}" for table, count in plan["rows"].items()]
    files = [_count(plan["files"], "file")] if plan["files"] else []
    size = [bytes_text(plan["bytes"])] if plan["files"] or plan["bytes"] else []
    if size and len(rows) > 1:  # nobody knows how large rows are that go along
        size = [f"{size[0]} of {next(iter(plan['rows']))}"]
    lines = [f"would go: {', '.join(rows + files + size) or 'nothing'}, of {plan['population']} in all"]
    if plan["oldest"] is not None:
        lines.append(f"from {moment_text(_moment(plan['oldest']))} to {moment_text(_moment(plan['newest']))}")
    if plan["freed_bytes_estimate"]:  # of rows it is known only afterwards
        lines.append(f"frees about {bytes_text(plan['freed_bytes_estimate'])} on the disk")
    lines += [f"kept: {_counts(plan['kept'])}"] if plan["kept"] else []
    lines += [f"such as {', '.join(plan['samples'][:5])}"] if plan["samples"] else []
    lines += [f"refused by a guard: {sentence}" for sentence in plan["guards"]]
    if plan["seconds_estimate"] is not None:
        lines.append(f"takes about {span(timedelta(seconds=plan['seconds_estimate']))}")
    return [*lines, f"carry it out within the hour: {PROGRAM} cleanups apply {plan['plan_id']}"]


def archive_rows(archives: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `ARCHIVE_COLUMNS` for each archive."""
    rows: list[tuple[str, ...]] = []
    for each in archives:
        held = [_count(each[f"{name}s"], name) for name in ("row", "file") if each.get(f"{name}s") is not None]
        size = "-" if each["bytes"] is None else bytes_text(each["bytes"])
        rows.append((str(each["archive"]), ", ".join(held) or "-", size, moment_text(_moment(each.get("expires_at")))))
    return rows


def restored(done: Shown) -> str:
    """Return what came back."""
    verb = "would come back" if done["dry_run"] else "came back"
    left = f"; {done['existing']} left alone, for they are there" if done["existing"] else ""
    return f"{done['restored']} {verb} from {done['archive'] or 'the latest that had it'}{left}"


def leftover_facts(found: Shown) -> list[tuple[str, str]]:
    """Return what a module leaves behind, as `(label, text)`."""
    facts = [("module", found["module_id"])]
    facts += [("table", f"{each['name']}, {_at_least(each, 'row')}") for each in found["tables"]]
    for each in found["directories"]:
        files = f"{_at_least(each, 'file')}, {bytes_text(each['bytes'])}"
        facts.append(("directory", f"{each['directory']}/{each['pattern']}, {files}"))
    facts.append(("cleanups", ", ".join(found["cleanups"]) or "-"))
    return [*facts, *((name, _at_least(found[name])) for name in ("tasks", "executions"))]


def _at_least(counted: Shown, what: str = "") -> str:
    number = _count(counted["count"], what) if what else f"{counted['count']:,}"
    return f"{'more than ' if counted['more'] else ''}{number}"


def progress_text(name: str, sums: Mapping[str, int]) -> str:
    """Return how far a run has come."""
    return f"{name}: {sums['examined']:,} looked at, {sums['deleted']:,} deleted, {bytes_text(sums['bytes'])}"


def bytes_text(size: int) -> str:
    """Return a size as people read it: `0 B`, `1.5 MB`; a kilobyte has 1,000 bytes."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _moment(moment: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items()) or "-"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
