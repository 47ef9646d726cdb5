"""The fields of a cron expression: what may stand in each, and in which one spelling it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from modules.core.scheduler.trigger.days import LAST
from modules.core.scheduler.trigger.protocol import TriggerError

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
EXTENSIONS = {
    "?": "? stands for * in the two day fields",
    "h": "H is a time of a task's own, so say of which task; it has the forms H, H/15, H(0-29) and H(0-29)/10",
    "r": "R differs at every reading: write H, which is one for each task, or the time",
    "w": "W stands behind one day of the month (15W), or behind L (LW)",
    "l": "L is the last day of the month, L-3 three days before it, friL or 5L the last Friday",
}
ITEM = re.compile(r"(?P<low>\*|[a-z0-9]+)(?:-(?P<high>[a-z0-9]+))?(?:/(?P<step>\d{1,4}))?")
LAST_DAY = re.compile(r"l(?:-(?P<back>\d\d?))?")
WORKING_DAY = re.compile(r"(?:l|(?P<day>\d\d?))w")
TO_THE_END = re.compile(r"(?P<low>\d\d?)-l")
NTH = re.compile(r"(?P<weekday>[a-z0-9]+)#(?P<week>[1-5])")
LAST_WEEKDAY = re.compile(r"(?P<weekday>[a-z]{3}|[0-7])l|l(?P<number>[0-7])")


class FieldError(TriggerError):
    """An `item` of the expression `text` that the field `name` does not take, and the `reason`."""

    def __init__(self, name: str, item: str, reason: str, text: str) -> None:
        super().__init__(f"the {name} field of cron {text!r} does not allow {item!r}: {reason}", "expression")
        self.name, self.item, self.reason = name, item, reason


@dataclass(frozen=True, slots=True)
class Special:
    """What only our own calendar knows: so many days from the last, a nearest working day, an n-th weekday."""

    kind: Literal["from_last", "nearest", "nth"]
    day: int
    week: int = LAST


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in trigger dicts, its least and greatest number, and names that stand for numbers."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        """Return the number that a number or a name stands for, or raise KeyError."""
        if text in self.names:
            return self.names.index(text) + (1 if self.low == 1 else 0)
        if text.isdigit() and len(text) <= 4 and self.low <= int(text) <= self.high:
            return int(text)
        raise KeyError(text)

    def item(self, item: str, text: str) -> str | Special:
        """Return an item of the expression `text` in one spelling, or raise `TriggerError`.

        What is spelt means the same in every version of croniter: `*`, numbers, rising ranges, steps that reach on.
        """
        try:
            return self._read(item.lower(), text)
        except FieldError as error:
            raise FieldError(self.name, item, error.reason, text) from None

    def _read(self, item: str, text: str) -> str | Special:
        special = self._special(item)
        if special is not None:
            return special
        match = ITEM.fullmatch(item)
        if match is None:
            raise self._wrong(item, text)
        try:
            low, high = (None if value in (None, "*") else self.number(value) for value in match.group("low", "high"))
        except KeyError as error:
            raise self._wrong(item, text, str(error.args[0])) from None
        step = int(match["step"]) if match["step"] else None
        if (step is not None and not 1 <= step <= self.high) or (low is None and match["high"]):
            raise self._wrong(item, text)
        return self._spelt(low, high, step, item, text)

    def _spelt(self, low: int | None, high: int | None, step: int | None, item: str, text: str) -> str:
        if low is None:
            return "*" if step in (None, 1) else f"*/{step}"
        if step is not None and high is None:  # croniter 6 reads 59/15 as */15
            return str(low) if low == self.high else f"{low}-{self.high}/{step}"
        if high is None or low == high:  # croniter reads 5-5 as every minute
            return str(low)
        if item.partition("/")[0].endswith("-sun"):
            high = 7
        if low > high:
            raise self._wraps(low, high, step, item, text)
        if step is not None and step > high - low:
            raise self._wrong(item, text, f"a step of {step} leads out of the range {low}-{high}")
        return f"{low}-{high}" + (f"/{step}" if step else "")

    def _special(self, item: str) -> Special | str | None:
        if self.name == "day":
            if item == "?":
                return "*"
            if match := LAST_DAY.fullmatch(item):
                return Special("from_last", int(match["back"] or 0)) if int(match["back"] or 0) <= 30 else None
            if match := TO_THE_END.fullmatch(item):
                return f"{match['low']}-31" if 1 <= int(match["low"]) <= 30 else None
            if match := WORKING_DAY.fullmatch(item):
                day = int(match["day"] or LAST)
                return Special("nearest", day) if match["day"] is None or 1 <= day <= 31 else None
        if self.name == "day_of_week":
            return self._special_weekday(item)
        return None

    def _special_weekday(self, item: str) -> Special | str | None:
        if item == "?":
            return "*"
        match = NTH.fullmatch(item) or LAST_WEEKDAY.fullmatch(item)
        if match is None:
            return None
        found = match.groupdict()
        try:
            weekday = self.number(found["weekday"] or found.get("number") or "") % 7
        except KeyError:
            return None
        return Special("nth", weekday, int(found.get("week") or LAST))

    def _wraps(self, low: int, high: int, step: int | None, item: str, text: str) -> FieldError:
        start = 1 if self.names == WEEKDAYS else self.low  # of weekdays, Sunday is 7 already
        spans = [(low, self.high), *([(start, high)] if high >= start else [])]
        parts = [self._span(*span, named=not item[0].isdigit()) for span in spans]
        advice = f"write {','.join(parts)}" if step in (None, 1) else "list the values"
        return FieldError(self.name, item, f"it runs backwards, which cron does not; {advice}", text)

    def _span(self, low: int, high: int, *, named: bool) -> str:
        ends = [self.names[(end - self.low) % len(self.names)] if named else str(end) for end in (low, high)]
        return ends[0] if low == high else "-".join(ends)

    def _wrong(self, item: str, text: str, word: str = "") -> FieldError:
        reason = word if " " in word else self._reason(item, word)
        return FieldError(self.name, item, reason, text)

    def _reason(self, item: str, word: str) -> str:
        found = re.findall(r"[a-z?]", item)
        reason = next((why for sign, why in EXTENSIONS.items() if sign in found), "")
        if reason and word not in self.names and len(re.sub(r"[^a-z]", "", item)) <= 2:
            return reason
        names = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"it takes {self.low}-{self.high}{names}, lists, ranges, and steps up to {self.high}"


FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day_of_week", 0, 7, WEEKDAYS),
    Field("year", 1970, 2099),
)
WEEK = Field("week", 1, 53)
