"""Triggers that wait for something to happen: an event that is emitted, or the end of another task's execution."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from framework.duration import in_words
from framework.strict_json import JsonError, dumps
from modules.core.scheduler.trigger.day_masks import Grid, Rows
from modules.core.scheduler.trigger.protocol import Trigger, TriggerError

MAX_EVENT_LENGTH = 200
LONGEST_DEBOUNCE = timedelta(days=365)
RESERVED = "task."  # begins the names of the scheduler's own events
ENDINGS = ("succeeded", "failed", "ended")


class Route(NamedTuple):
    """By what a waiting task is found: an event's name and, of the scheduler's own, whose ending it waits for."""

    event: str
    task: str | None


class Awaited(ABC):
    """A trigger none of whose times is known beforehand."""

    __slots__ = ()

    recurring: ClassVar[bool] = True

    @property
    @abstractmethod
    def route(self) -> Route:
        """By what the tasks that wait are found."""

    @abstractmethod
    def matches(self, payload: object) -> bool:
        """Tell whether an event of that name with this payload (plain JSON) is waited for."""

    @abstractmethod
    def describe(self, place: str | None = None) -> str:
        """Return what it waits for, in plain words."""

    @property
    def debounced(self) -> tuple[timedelta, timedelta | None] | None:
        """How long after the last event it fires and, if bounded, how long after the first; None: at once."""
        return None

    def next_after(self, moment: datetime) -> datetime | None:  # noqa: ARG002  # never known beforehand
        return None

    def latest_until(self, moment: datetime, after: datetime) -> datetime | None:  # noqa: ARG002  # never known beforehand
        return None

    def count_between(self, after: datetime, until: datetime) -> int:  # noqa: ARG002  # never known beforehand
        return 0

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:  # noqa: ARG002  # never known beforehand
        return iter(())

    def on_days(self, grid: Grid) -> Rows:  # noqa: ARG002  # never known beforehand
        return {}


@dataclass(frozen=True, slots=True)
class OnEvent(Awaited):
    """Fires for each emitted event of this name whose payload has every value of `where` (plain JSON).

    With `debounce` the events that follow each other more closely are one: it fires so long after the last of them and,
    where `debounce_max` is given, at the latest so long after the first.
    """

    event: str
    where: Mapping[str, Any] = field(default_factory=dict)
    debounce: timedelta | None = None
    debounce_max: timedelta | None = None

    def __post_init__(self) -> None:
        name: object = self.event
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_EVENT_LENGTH:
            raise TriggerError(f"an event's name is text of at most {MAX_EVENT_LENGTH} characters", "event")
        own = [RESERVED + ending for ending in ENDINGS]
        if name.startswith(RESERVED) and name not in own:
            raise TriggerError(f"the scheduler's own events are {', '.join(own)}, not {name!r}", "event")
        given: object = self.where
        if not isinstance(given, Mapping):
            raise TriggerError(f"where must be a mapping of payload keys to values, not {given!r}", "where")
        try:
            where = _plain(given)
            dumps(where)
        except (JsonError, RecursionError) as error:
            raise TriggerError(f"where is not plain JSON: {error}", "where") from None
        object.__setattr__(self, "where", _frozen(where))
        self._check_debounce()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OnEvent):
            return NotImplemented
        bounds = (self.event, self.debounce, self.debounce_max)
        return bounds == (other.event, other.debounce, other.debounce_max) and _same(self.where, other.where)

    def __hash__(self) -> int:
        return hash((self.event, self.debounce, self.debounce_max))

    def __reduce__(self) -> tuple[type[OnEvent], tuple[Any, ...]]:
        """A copy, or a pickle, is made from plain JSON, for what is frozen can be neither."""
        return OnEvent, (self.event, _plain(self.where), self.debounce, self.debounce_max)

    @property
    def route(self) -> Route:
        task = self.where.get("task_id") if self.event.startswith(RESERVED) else None
        return Route(self.event, task if isinstance(task, str) else None)

    @property
    def debounced(self) -> tuple[timedelta, timedelta | None] | None:
        return None if self.debounce is None else (self.debounce, self.debounce_max)

    def matches(self, payload: object) -> bool:
        """Every key of `where` must be there and equal, as JSON is."""
        if not self.where:
            return True
        if not isinstance(payload, Mapping):
            return False
        return all(key in payload and _same(payload[key], value) for key, value in self.where.items())

    def to_json(self) -> dict[str, Any]:
        bounds = {"debounce": _seconds(self.debounce), "debounce_max": _seconds(self.debounce_max)}
        return {"v": 1, "type": "event", "event": self.event, "where": _plain(self.where), **bounds}

    def describe(self, place: str | None = None) -> str:  # noqa: ARG002  # it tells no moment
        conditions = " and ".join(f"{key} is {_plain(value)!r}" for key, value in self.where.items())
        event = f"{self.event!r} is emitted" + (f" where {conditions}" if conditions else "")
        if self.debounce is None:
            return f"when {event}"
        latest = "" if self.debounce_max is None else f", at the latest {in_words(self.debounce_max)} after the first"
        return f"{in_words(self.debounce)} after the last time that {event}{latest}"

    def _check_debounce(self) -> None:
        for name, value in (("debounce", self.debounce), ("debounce_max", self.debounce_max)):
            given: object = value
            if given is not None and not (isinstance(given, timedelta) and timedelta(0) < given <= LONGEST_DEBOUNCE):
                raise TriggerError(f"{name} is longer than nothing and at most a year", name)
        if self.debounce_max is not None and (self.debounce is None or self.debounce_max < self.debounce):
            raise TriggerError("debounce_max goes with a debounce that is not longer", "debounce_max")


@dataclass(frozen=True, slots=True)
class After(Awaited):
    """Fires when an execution of another task has ended for good: `succeeded`, `failed`, or `ended` in any way.

    `task` is that task's id, or its key if it is of the same module.
    """

    task: str
    when: str = "succeeded"

    def __post_init__(self) -> None:
        task: object = self.task
        if not isinstance(task, str) or not 1 <= len(task) <= MAX_EVENT_LENGTH:
            raise TriggerError(f"task must be a task's id or key, not {task!r}", "task")
        if self.when not in ENDINGS:
            raise TriggerError(f"when is one of {', '.join(ENDINGS)}, not {self.when!r}", "when")

    @property
    def route(self) -> Route:
        return Route(RESERVED + self.when, self.task)

    def matches(self, payload: object) -> bool:
        """The task that has ended must have this id or key; whether a key is of the same module, the caller knows."""
        return isinstance(payload, Mapping) and self.task in (payload.get("task_id"), payload.get("key"))

    def to_json(self) -> dict[str, Any]:
        return {"v": 1, "type": "after", "task": self.task, "when": self.when}

    def describe(self, place: str | None = None) -> str:  # noqa: ARG002  # it tells no moment
        return f"after task {self.task!r} has {self.when}"


def awaited_in(trigger: Trigger) -> Awaited | None:
    """Return what of a trigger waits for something to happen; None where all of its times are known."""
    if isinstance(trigger, Awaited):
        return trigger
    inner = getattr(trigger, "triggers", None) or filter(None, [getattr(trigger, "trigger", None)])
    return next(filter(None, map(awaited_in, inner)), None)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _frozen(value: Any) -> Any:
    """Return JSON that cannot be changed, at any depth."""
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(each) for key, each in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Return JSON as dicts and lists of its own."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _same(left: object, right: object) -> bool:
    """Compare as JSON does: true is not 1, at any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(_same, left, right))
    return left == right
