"""Reads the values of a trigger definition: keys, moments, numbers; every refusal names its key."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from framework.duration import parse_duration
from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import TriggerError, checked_moment
from modules.core.scheduler.trigger.zones import resolve, zone

MIDNIGHT = time()


def check_keys(given: Mapping[str, Any], known: Collection[str], kind: str) -> None:
    """Raise `TriggerError` for a key that this kind of trigger does not have."""
    for key in given:
        if key not in known:
            hint = did_you_mean(key, known) or f"; it takes {', '.join(sorted(known))}"
            raise TriggerError(f"{kind} has no key {key!r}{hint}", str(key))


def required(given: Mapping[str, Any], key: str, kind: str) -> Any:
    """Return a value that must be there."""
    if given.get(key) is None:
        raise TriggerError(f"{kind} needs {key!r}", key)
    return given[key]


def moment(value: object, zone_name: str, field: str) -> datetime:
    """Return a datetime, a date (its midnight) or ISO 8601 text in UTC; without an offset it is read in the zone."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise TriggerError(f"{field} {value!r} is no ISO 8601 time, such as 2026-01-31T09:00:00Z", field) from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, MIDNIGHT)
    if not isinstance(value, datetime):
        raise TriggerError(f"{field} must be a datetime or ISO 8601 text, not {value!r}", field)
    if value.utcoffset() is not None:
        return checked_moment(value, field)
    try:
        return checked_moment(resolve(zone(zone_name), value.replace(tzinfo=None)), field)
    except OverflowError:
        raise TriggerError(f"{field} {value.isoformat()} is too near the end of the calendar", field) from None


def wall(value: object, zone_name: str, field: str, at: time = MIDNIGHT) -> datetime:
    """Return the naive time that a zone's clock shows, as it is written; a day without a time has the time `at`."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            try:
                value = datetime.fromisoformat(str(value))
            except ValueError:
                raise TriggerError(f"{field} {value!r} is no ISO 8601 time, such as 2026-01-31T09:00", field) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, at)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    return moment(value, zone_name, field).astimezone(zone(zone_name)).replace(tzinfo=None)


def optional_moment(given: Mapping[str, Any], key: str, zone_name: str) -> datetime | None:
    """Return the moment under a key, None where there is none."""
    value = given.get(key)
    return None if value is None else moment(value, zone_name, key)


def optional_duration(given: Mapping[str, Any], key: str) -> timedelta | None:
    """Return the duration under a key, None where there is none."""
    value = given.get(key)
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise TriggerError(str(error), key) from None


def amount(value: object, field: str) -> float:
    """Return a finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise TriggerError(f"{field} must be a number above 0, not {value!r}", field)
    return value


def whole_amount(value: object, field: str) -> int:
    """Return a whole number that is not negative."""
    number = amount(value, field)
    if int(number) != number:
        raise TriggerError(f"{field} must be a whole number, not {value!r}", field)
    return int(number)
