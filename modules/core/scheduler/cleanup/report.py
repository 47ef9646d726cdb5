"""Report: what one cleanup run did, or in a dry run would have done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

MAX_ERRORS = 20
MAX_ERROR_LENGTH = 500
MAX_SAMPLES = 20
PURGED = "purged"  # in `done`: files that were deleted from the trash


watching: ContextVar[Callable[[Tally], None] | None] = ContextVar("watching", default=None)
"""Who is shown each tally that begins, so that it can be looked at while a run goes on."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one run, frozen. `matched` is what the rules condemned; a dry run matches and deletes nothing."""

    kind: str
    """`rows`, `files`, `function`, or `total` for a sum."""
    dry_run: bool
    started_at: datetime
    ended_at: datetime | None = None
    examined: int = 0
    """Rows or files looked at: files whose name fits the pattern, rows whose date fits the policy."""
    matched: int = 0
    deleted: int = 0
    bytes: int = 0
    """Size of the files deleted, those of the trash too, in a dry run of those that would be; of rows what their
    `size_column` says, of partitions what they take on the disk, else 0."""
    freed_bytes: int = 0
    """Bytes that the disk or the database file got back, in a dry run as far as they can be foreseen."""
    batches: int = 0
    """Transactions that deleted rows; 0 for files."""
    kept: Mapping[str, int] = field(default_factory=dict)
    """Why the rules kept something, and how often: `young`, `newest`, `tier`, `held`, `tagged`, `filtered`,
    `no_key`, `min_age`, `min_kept`, `guard`, `budget`."""
    done: Mapping[str, int] = field(default_factory=dict)
    """What was done beside or instead of deleting, and how often, such as `archived` or `compressed`."""
    cascades: Mapping[str, int] = field(default_factory=dict)
    """Rows of other tables that went with the rows deleted, by table; their bytes are unknown, and not in `bytes`."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """What the rules could not judge or act on, and how often: `hard_link`, `symlink`, `not_a_file`, `other_mount`,
    `changed` or `vanished` since it was looked at; `exists`, in a restore, where another file is."""
    oldest: datetime | None = None
    """Of what was matched, as is `newest`."""
    newest: datetime | None = None
    samples: tuple[str, ...] = ()
    """Some of what was matched: paths of files, keys of rows; at most `MAX_SAMPLES`."""
    code: str | None = None
    """Why the run was refused or broken off as a whole, such as `GUARD_EXCEEDED`."""
    errors: tuple[str, ...] = ()
    """The first errors, one sentence each; at most `MAX_ERRORS` are kept."""
    error_count: int = 0
    """All errors, also those beyond the kept ones."""
    note: str | None = None
    cursor: str | None = None
    """Where the next run goes on, when something ended this one before all was done."""

    @property
    def seconds(self) -> float | None:
        """How long the run took, or None while it has not ended."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()

    @property
    def success(self) -> bool:
        """True when nothing failed: a partial failure is a failure."""
        return self.error_count == 0

    def ended(self, moment: datetime) -> Report:
        """Return the same report with its end."""
        return replace(self, ended_at=moment)

    def failed(self, sentence: str) -> Report:
        """Return the same report with one more error."""
        errors = (*self.errors, sentence[:MAX_ERROR_LENGTH])[:MAX_ERRORS]
        return replace(self, errors=errors, error_count=self.error_count + 1)

    def refused(self, code: str, sentence: str) -> Report:
        """Return the same report as that of a run that was refused or broken off, with the code that says why."""
        return replace(self.failed(sentence), code=code)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: moments as ISO 8601 text with `Z`, and `success`."""
        return {
            "kind": self.kind,
            "success": self.success,
            "dry_run": self.dry_run,
            "started_at": _text(self.started_at),
            "ended_at": _text(self.ended_at),
            "seconds": self.seconds,
            "examined": self.examined,
            "matched": self.matched,
            "deleted": self.deleted,
            "bytes": self.bytes,
            "freed_bytes": self.freed_bytes,
            "batches": self.batches,
            "kept": dict(self.kept),
            "done": dict(self.done),
            "cascades": dict(self.cascades),
            "oldest": _text(self.oldest),
            "newest": _text(self.newest),
            "samples": list(self.samples),
            "skipped": dict(self.skipped),
            "code": self.code,
            "errors": list(self.errors),
            "error_count": self.error_count,
            "note": self.note,
            "cursor": self.cursor,
        }


def numbers_in(value: object) -> dict[str, Any]:
    """Return the numbers of a report that a module's own cleaner has told, by their names: counts in a dict, or none.

    Of a Result, the data is looked at.
    """
    told = getattr(value, "data", value)
    if not isinstance(told, Mapping):
        return {}
    names = ("examined", "matched", "deleted", "bytes", "freed_bytes")
    numbers = {name: told.get(name) for name in names}
    return {name: count for name, count in numbers.items() if type(count) is int and count >= 0}


def total(reports: Iterable[Report], *, started_at: datetime, dry_run: bool) -> Report:
    """Return the sum of the reports as one of kind `total`; it succeeded when all of them did."""
    tally = Tally()
    ends = []
    for report in reports:
        tally.add(report)
        ends.append(report.ended_at)
    known = [end for end in ends if end is not None]
    return replace(tally.report("total", started_at=started_at, dry_run=dry_run), ended_at=max(known, default=None))


class Tally:
    """Counts while a run goes on; `report()` freezes them."""

    def __init__(self) -> None:
        if (watcher := watching.get()) is not None:
            watcher(self)
        self.examined = 0
        self.matched = 0
        self.deleted = 0
        self.bytes = 0
        self.freed_bytes = 0
        self.batches = 0
        self.note: str | None = None
        self.cursor: str | None = None
        self.code: str | None = None
        self.kept: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.cascades: Counter[str] = Counter()
        self._oldest: datetime | None = None
        self._newest: datetime | None = None
        self._samples: list[str] = []
        self._skipped: Counter[str] = Counter()
        self._errors: list[str] = []
        self._error_count = 0

    @property
    def failed(self) -> bool:
        """True as soon as there was an error."""
        return self._error_count > 0

    def keep(self, reason: str, count: int = 1) -> None:
        """Count what a rule kept."""
        if count:
            self.kept[reason] += count

    def span(self, oldest: datetime | None, newest: datetime | None) -> None:
        """Widen the span of the moments of what was matched."""
        self._oldest = min(filter(None, (self._oldest, oldest)), default=None)
        self._newest = max(filter(None, (self._newest, newest)), default=None)

    def sample(self, text: str) -> None:
        """Keep the name of something matched while there is room."""
        if len(self._samples) < MAX_SAMPLES:
            self._samples.append(text[:MAX_ERROR_LENGTH])

    def skip(self, reason: str, count: int = 1) -> None:
        """Count what could not be judged or acted on, and why."""
        if count:
            self._skipped[reason] += count

    def fail(self, message: str) -> None:
        """Count an error, and keep its sentence while there is room."""
        self._error_count += 1
        if len(self._errors) < MAX_ERRORS:
            self._errors.append(message[:MAX_ERROR_LENGTH])

    def add(self, report: Report) -> None:
        """Add the numbers, samples and errors of a report."""
        self.examined += report.examined
        self.matched += report.matched
        self.deleted += report.deleted
        self.bytes += report.bytes
        self.freed_bytes += report.freed_bytes
        self.batches += report.batches
        self.kept.update(report.kept)
        self.done.update(report.done)
        self.cascades.update(report.cascades)
        self.span(report.oldest, report.newest)
        for sample in report.samples:
            self.sample(sample)
        self._skipped.update(report.skipped)
        self._errors.extend(report.errors[: MAX_ERRORS - len(self._errors)])
        self._error_count += report.error_count

    def report(self, kind: str, *, started_at: datetime, dry_run: bool) -> Report:
        """Return the counts as a frozen report."""
        return Report(
            kind=kind,
            dry_run=dry_run,
            started_at=started_at,
            examined=self.examined,
            matched=self.matched,
            deleted=self.deleted,
            bytes=self.bytes,
            freed_bytes=self.freed_bytes,
            batches=self.batches,
            kept=dict(self.kept),
            done=dict(self.done),
            cascades=dict(self.cascades),
            oldest=self._oldest,
            newest=self._newest,
            samples=tuple(self._samples),
            skipped=dict(self._skipped),
            code=self.code,
            errors=tuple(self._errors),
            error_count=self._error_count,
            note=self.note,
            cursor=self.cursor,
        )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
