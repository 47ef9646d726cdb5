"""What commands print: tables and facts for people, JSON for programs; data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rich takes a while to import
    from rich.console import Console

PROGRAM = "chamberlain"


def console(*, stderr: bool = False) -> Console:
    """Return a console: colours on a terminal only, none where NO_COLOR is set, no markup read from data."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a line of column heads and one for each row; a terminal that is too narrow cuts the lines' ends."""
    from rich.cells import cell_len
    from rich.text import Text

    lines = [[printable(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*lines, strict=True)]
    out = console()
    for number, line in enumerate(lines):
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)]
        text = Text("  ".join(padded).rstrip(), style="" if number else "bold")
        if out.is_terminal:
            text.truncate(out.width, overflow="ellipsis")
        out.print(text, soft_wrap=True)


def print_facts(facts: Iterable[tuple[str, str]], *, stderr: bool = False) -> None:
    """Print one `label  text` a line; a label that repeats is printed once."""
    from rich.text import Text

    pairs = [(printable(label), printable(text)) for label, text in facts]
    width = max((len(label) for label, _ in pairs), default=0)
    out, above = console(stderr=stderr), ""
    for label, text in pairs:
        out.print(Text.assemble(("" if label == above else label).ljust(width), "  ", text), soft_wrap=True)
        above = label


def say(text: str, *, stderr: bool = False) -> None:
    """Print a line as it is, but for what a terminal would obey."""
    stream = sys.stderr if stderr else sys.stdout
    stream.write(printable(text) + "\n")
    stream.flush()


def print_json(data: Any) -> None:
    """Print JSON; moments are ISO 8601 in UTC with `Z`."""
    sys.stdout.write(json.dumps(data, default=_as_json, indent=2) + "\n")
    sys.stdout.flush()


def complain(sentence: str) -> None:
    """Print one line on stderr: what is wrong, why, and what to do next."""
    say(f"{PROGRAM}: {' '.join(sentence.split())}", stderr=True)


def complain_of_warnings() -> None:
    """Let warnings that are logged appear as one line each on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Complaint())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)


def printable(text: str) -> str:
    """Return the text with line breaks and all else that a terminal would obey escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def moment_text(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """Return a moment in a zone, by default the machine's, as `Sun 2026-11-22 02:00:00 CET`; `-` for none."""
    return "-" if moment is None else f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}"


def span(duration: timedelta) -> str:
    """Return a duration to its two largest units: `16h 3m`, `2m 5s`, `0s`; `-` stands before what is past."""
    from framework.duration import in_words

    seconds = round(duration.total_seconds())
    sign = "-" if seconds < 0 else ""
    return sign + " ".join(in_words(timedelta(seconds=abs(seconds))).split()[:2])


class _Complaint(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(f"{PROGRAM}: {record.getMessage()}")


def _as_json(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
