"""Events for those who watch: a kind, an id that says when, and plain fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Any

from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.refusing import refuse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_ID = 40


class Kind(StrEnum):
    """What an event is about."""

    TASK = auto()
    EXECUTION = auto()
    PROGRESS = auto()
    LOG = auto()
    CLEANUP = auto()
    NODE = auto()
    PAUSE = auto()
    RESET = auto()


class LiveEvent(dict[str, Any]):
    """One event: `{"id", "kind", …}`. Many may hold it at once, so nobody changes it."""

    _written: bytes | None = None

    def written(self, write: Callable[[LiveEvent], bytes]) -> bytes:
        """Return it as bytes; it is written once, however many send it."""
        if self._written is None:
            self._written = write(self)
        return self._written


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events somebody wants."""

    task_id: str | None = None
    execution_id: str | None = None
    kinds: frozenset[Kind] = frozenset(Kind)

    @classmethod
    def of(cls, task_id: str | None, execution_id: str | None, kinds: Iterable[str] | None) -> Wanted:
        """Read what a caller gave, or refuse with `INVALID_KIND`; log lines are told of one execution only."""
        named = [kinds] if isinstance(kinds, str) else kinds
        chosen = frozenset(Kind) if named is None else frozenset(map(_kind, named))
        if execution_id is None and named is not None and Kind.LOG in chosen:
            refuse("INVALID_KIND", "log lines are told of one execution; name it")
        if execution_id is not None:
            return cls(None, storable(execution_id, MAX_ID), chosen)
        return cls(None if task_id is None else storable(task_id, MAX_ID), None, chosen)

    @property
    def follows_lines(self) -> bool:
        """Whether log lines are wanted, of the execution that is named."""
        return self.execution_id is not None and Kind.LOG in self.kinds

    def takes(self, event: LiveEvent) -> bool:
        """Whether an event is wanted; a reset always is."""
        if event["kind"] == Kind.RESET:
            return True
        if event["kind"] not in self.kinds:
            return False
        return self.task_id in (None, event.get("task_id")) and self.execution_id in (None, event.get("execution_id"))


def _kind(name: str) -> Kind:
    if name not in list(Kind):
        refuse("INVALID_KIND", f"there is no kind of event {name!r:.50}; there are {', '.join(Kind)}")
    return Kind(name)


def numbered(moment: datetime, events: Collection[dict[str, Any]], first: int = 1) -> list[LiveEvent]:
    """Return events with the ids of a look at a moment: microseconds since 1970, and a count.

    `at` is when it happened, where that is stored; else that moment.
    """
    stamp = (moment - EPOCH) // timedelta(microseconds=1)
    return [
        LiveEvent({"id": f"{stamp}-{number}", "at": moment, **event})
        for number, event in enumerate(events, start=first)
    ]


def position_of(event_id: str) -> tuple[datetime, int] | None:
    """Return the moment and the count that an id says, None where it is no id of an event."""
    stamp, _, number = event_id[:LONGEST_ID].partition("-")
    if not (stamp.isascii() and stamp.isdecimal() and number.isascii() and number.isdecimal()):
        return None
    try:
        return EPOCH + timedelta(microseconds=int(stamp)), int(number)
    except OverflowError:
        return None


def reset(reason: str, text: str) -> dict[str, Any]:
    """Return what says that events are missing: whoever keeps a picture of what there is draws it anew."""
    return {"kind": Kind.RESET, "reason": reason, "message": text}
