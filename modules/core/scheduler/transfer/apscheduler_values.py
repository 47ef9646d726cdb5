"""Moments, durations and time zones out of an inert pickle; what is anything else is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from modules.core.scheduler.transfer.inert_pickle import Made, Named, shown
from modules.core.scheduler.trigger import zones

DATETIME, DELTA, OFFSET = Named("datetime", "datetime"), Named("datetime", "timedelta"), Named("datetime", "timezone")
PYTZ, PYTZ_UTC = Named("pytz", "_p"), Named("pytz", "_UTC")
ZONE = Named("zoneinfo", "ZoneInfo")
UNPICKLE = (Named("builtins", "getattr"), (ZONE, "_unpickle"))
MOST_NODES, DEEPEST = 10_000, 30


def moment(value: Any) -> str | None:
    """Return a stored datetime as ISO 8601 text, in UTC where it has a zone; None for none. Raises `ValueError`."""
    if value is None:
        return None
    arguments = _made(value, DATETIME, "a datetime")
    if not (1 <= len(arguments) <= 2 and isinstance(arguments[0], bytes) and len(arguments[0]) == 10):
        raise ValueError("a datetime that cannot be read")
    raw = arguments[0]
    fold, month = divmod(raw[2], 128)
    clock = (raw[4], raw[5], raw[6], int.from_bytes(raw[7:], "big"))
    naive = datetime(raw[0] * 256 + raw[1], month, raw[3], *clock, fold=fold)  # noqa: DTZ001  # as it was written
    if len(arguments) == 1 or arguments[1] is None:
        return naive.isoformat()
    return naive.replace(tzinfo=_tzinfo(arguments[1])).astimezone(UTC).isoformat()


def duration(value: Any) -> timedelta:
    """Return a stored timedelta. Raises `ValueError`."""
    arguments = _made(value, DELTA, "a duration")
    if len(arguments) != 3 or not all(type(part) is int for part in arguments):
        raise ValueError("a duration that cannot be read")
    try:
        return timedelta(*arguments)
    except OverflowError as error:
        raise ValueError("a duration that is too long") from error


def zone_name(value: Any) -> str:
    """Return the name of a stored time zone. Raises `ValueError`, also for an offset that no zone has all year."""
    if isinstance(value, Made) and value.what == OFFSET:
        offset = duration(value.arguments[0]) if value.arguments else timedelta(0)
        hours, rest = divmod(offset, timedelta(hours=1))
        if offset and rest:
            raise ValueError(f"a fixed offset of {offset} has no name as a time zone")
        return f"Etc/GMT{-hours:+d}" if offset else "UTC"  # the sign of these names is turned round
    if isinstance(value, Made) and value.what == PYTZ_UTC:
        return "UTC"
    by_name = isinstance(value, Made) and (value.what in (ZONE, PYTZ) or _is_unpickle(value.what))
    if not by_name or not value.arguments or not isinstance(value.arguments[0], str):
        raise ValueError(f"a time zone that cannot be read: {shown(value)}")
    return zones.zone(value.arguments[0]).key


def plain(value: Any) -> Any:
    """Return a copy of plain JSON, or raise `ValueError` that names what is not."""
    return _plain(value, [MOST_NODES], DEEPEST)


def _plain(value: Any, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        raise ValueError("more than can be carried over")
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, left, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, left, depth - 1) for item in value]
    if value is None or type(value) in (str, int, float, bool):
        return value
    raise ValueError(f"{shown(value)}, which is no JSON")


def _tzinfo(value: Any) -> tzinfo:
    if isinstance(value, Made) and value.what == OFFSET:
        return timezone(duration(value.arguments[0])) if value.arguments else UTC
    return zones.zone(zone_name(value))


def _made(value: Any, what: Named, called: str) -> tuple[Any, ...]:
    if not isinstance(value, Made) or value.what != what:
        raise ValueError(f"{shown(value)} where {called} belongs")
    return value.arguments


def _is_unpickle(value: Any) -> bool:
    return isinstance(value, Made) and (value.what, value.arguments) == UNPICKLE
