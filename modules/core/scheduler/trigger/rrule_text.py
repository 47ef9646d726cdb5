"""Reads a recurrence rule (RFC 5545, 3.3.10) and writes it back in one spelling; which times it means is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from functools import lru_cache

from modules.core.scheduler.trigger.near import did_you_mean
from modules.core.scheduler.trigger.protocol import TriggerError

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY = range(7)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
HUNDRED_YEARS = (100, 1_200, 5_220, 36_525, 876_600, 52_596_000, 3_155_760_000)  # in units of each frequency
MAX_COUNT = 100_000
MAX_TEXT = 2_000
NUMBERS = {  # lowest, highest, whether they count back from the end too
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
KEYS = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"),
    *("BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS"),
)
UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
BYDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts of a rule: numbers sorted, days of the week from Monday = 0, each with its place (0: every such day).

    `until` is a wall-clock time, or aware where the rule gives it in UTC; the day itself where it gives only a date.
    """

    freq: int
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    wkst: int = 0
    bymonth: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byday: tuple[tuple[int, int], ...] = ()
    byhour: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    bysecond: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The rule in its normal spelling; what is not said is left out."""
        parts = [f"FREQ={FREQUENCIES[self.freq]}"]
        parts += [f"INTERVAL={self.interval}"] if self.interval > 1 else []
        parts += [f"COUNT={self.count}"] if self.count else []
        parts += [f"UNTIL={self.until:%Y%m%dT%H%M%S}{'Z' if self.until.tzinfo else ''}"] if self.until else []
        parts += [f"WKST={DAYS[self.wkst]}"] if self.wkst else []
        for field in fields(self)[5:]:
            values = getattr(self, field.name)
            if field.name == "byday":
                values = [f"{place or ''}{DAYS[day]}" for day, place in values]
            parts += [f"{field.name.upper()}={','.join(map(str, values))}"] if values else []
        return ";".join(parts)


@lru_cache(maxsize=1024)
def read_rule(text: str) -> Rule:
    """Return the rule of a text such as `FREQ=MONTHLY;BYDAY=2TU`, or raise `TriggerError` that names what is wrong."""
    raw: object = text
    if not isinstance(raw, str) or len(raw) > MAX_TEXT:
        raise TriggerError(
            f"rrule is text of at most {MAX_TEXT:,} characters, such as 'FREQ=MONTHLY;BYDAY=2TU'", "rrule"
        )
    given = _parts(text)
    if given.get("FREQ") not in FREQUENCIES:
        raise _wrong(f"FREQ must be one of {', '.join(FREQUENCIES)}, not {given.get('FREQ')!r}")
    freq = FREQUENCIES.index(given["FREQ"])
    if given.get("WKST", "MO") not in DAYS:
        raise _wrong(f"WKST must be one of {', '.join(DAYS)}, not {given['WKST']!r}")
    rule = Rule(
        freq=freq,
        interval=_number(given, "INTERVAL", HUNDRED_YEARS[freq]) or 1,
        count=_number(given, "COUNT", MAX_COUNT),
        until=_until(given["UNTIL"]) if "UNTIL" in given else None,
        wkst=DAYS.index(given.get("WKST", "MO")),
        byday=_byday(given["BYDAY"]) if "BYDAY" in given else (),
        **{key.lower(): _numbers(key, given[key]) for key in NUMBERS if key in given},
    )
    _check(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    text = text.strip().upper().removeprefix("RRULE:").rstrip(";")
    if "\n" in text or text.startswith(("DTSTART", "EXDATE", "RDATE")):
        raise _wrong(
            "it is one line; DTSTART, RDATE and EXDATE are the keys dtstart, rdates and exdates of the trigger"
        )
    given: dict[str, str] = {}
    for part in text.split(";"):
        key, _, value = part.partition("=")
        if key not in KEYS:
            raise _wrong(f"there is no {key!r}{did_you_mean(key, KEYS) or '; there are ' + ', '.join(KEYS)}")
        if key in given:
            raise _wrong(f"{key} is given twice")
        given[key] = value
    return given


def _number(given: Mapping[str, str], key: str, highest: int) -> int | None:
    if key not in given:
        return None
    text = given[key]
    if not re.fullmatch("[0-9]{1,12}", text) or not 1 <= int(text) <= highest:
        raise _wrong(f"{key} must be a whole number from 1 to {highest:,}, not {text!r}")
    return int(text)


def _numbers(key: str, text: str) -> tuple[int, ...]:
    low, high, backwards = NUMBERS[key]
    items = text.split(",")
    wrong = [item for item in items if not re.fullmatch("[+-]?[0-9]{1,3}", item)]
    wrong = wrong or [i for i in items if not low <= (abs(int(i)) if backwards else int(i)) <= high]
    if wrong:
        back = f" or -{high} to -{low}" if backwards else ""
        raise _wrong(f"{key} takes {low} to {high}{back}, not {wrong[0]!r}")
    return tuple(sorted(set(map(int, items))))


def _byday(text: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for item in text.split(","):
        match = BYDAY.fullmatch(item)
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= 53):
            raise _wrong(f"BYDAY takes days such as MO, 2TU or -1FR, not {item!r}")
        found.add((DAYS.index(match[2]), int(match[1] or 0)))
    return tuple(sorted(found))


def _until(text: str) -> datetime:
    match = UNTIL.fullmatch(text)
    wrong = _wrong(f"UNTIL is written 20261231, 20261231T235959 or 20261231T235959Z, not {text!r}")
    if match is None:
        raise wrong
    try:
        day = date.fromisoformat(match[1])
        at = time.fromisoformat(match[2] or "235959")
    except ValueError:
        raise wrong from None
    return datetime.combine(day, at, UTC if match[3] else None)


def _check(rule: Rule) -> None:
    """Refuse what the RFC forbids."""
    placed = any(place for _, place in rule.byday)
    forbidden = (
        (rule.count and rule.until, "COUNT and UNTIL cannot be combined"),
        (rule.byweekno and rule.freq != YEARLY, "BYWEEKNO is for FREQ=YEARLY alone"),
        (rule.byyearday and rule.freq in (MONTHLY, WEEKLY, DAILY), "BYYEARDAY is not for MONTHLY, WEEKLY and DAILY"),
        (rule.bymonthday and rule.freq == WEEKLY, "BYMONTHDAY is not for FREQ=WEEKLY"),
        (placed and rule.freq > MONTHLY, "a numbered BYDAY such as 2TU is for MONTHLY and YEARLY alone"),
        (placed and rule.byweekno, "a numbered BYDAY such as 2TU cannot be combined with BYWEEKNO"),
        (rule.bysetpos and rule.freq == SECONDLY, "BYSETPOS has nothing to choose from within a second"),
        (rule.bysetpos and not _chooses(rule), "BYSETPOS needs another BY part to choose from"),
    )
    for wrong, message in forbidden:
        if wrong:
            raise _wrong(message)


def _chooses(rule: Rule) -> bool:
    return any(getattr(rule, field.name) for field in fields(rule)[5:-1])


def _wrong(why: str) -> TriggerError:
    return TriggerError(f"this is no recurrence rule: {why}", "rrule")
