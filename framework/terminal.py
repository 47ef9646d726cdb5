"""What commands print: tables and facts for people, JSON for programs; data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from framework.invocation import invocation

if TYPE_CHECKING:  # rich takes a while to import
    from rich.console import Console

PROGRAM = "chamberlain"
GAP = "  "
LEAST = 12  # cells that a column keeps that may be shortened


def console(*, stderr: bool = False) -> Console:
    """Return a console: colours on a terminal only, none where NO_COLOR is set, no markup read from data."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    ids: Sequence[str] = (),
    spare: Sequence[str] = (),
    elastic: Sequence[str] = (),
) -> None:
    """Print a line of column heads and one for each row; `--quiet` prints the `ids` instead.

    A terminal that is too narrow shortens the `elastic` columns, then leaves out the `spare` ones, the first first,
    and cuts what is still too long. What is no terminal gets all of it.
    """
    from rich.text import Text

    if invocation().quiet:
        print_ids(ids)
        return
    out = console()
    lines = [[printable(cell) for cell in row] for row in (columns, *rows)]
    for number, line in enumerate(fitted(lines, out.width if out.is_terminal else None, spare, elastic)):
        text = Text(line, style="" if number else "bold")
        if out.is_terminal:
            text.truncate(out.width, overflow="ellipsis")
        out.print(text, soft_wrap=True)


def print_ids(ids: Iterable[str]) -> None:
    """Print one id a line, as `--quiet` asks for it."""
    sys.stdout.write("".join(f"{printable(each)}\n" for each in ids))
    sys.stdout.flush()


def fitted(
    lines: Sequence[Sequence[str]], width: int | None, spare: Sequence[str] = (), elastic: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a table, the first of them its heads, in at most so many cells where that is possible."""
    from rich.cells import cell_len, set_cell_size

    heads, left = lines[0], list(range(len(lines[0])))
    sizes = [max(cell_len(line[each]) for line in lines) for each in left]
    least = [min(size, LEAST) if head in elastic else size for head, size in zip(heads, sizes, strict=True)]
    for name in spare:
        if width is None or _width(least, left) <= width:
            break
        left = [each for each in left if heads[each] != name]
    while width is not None and _width(sizes, left) > width:
        loose = [each for each in left if sizes[each] > least[each]]
        if not loose:
            break
        sizes[max(loose, key=sizes.__getitem__)] -= 1

    def cell(text: str, size: int) -> str:
        return set_cell_size(text if cell_len(text) <= size else set_cell_size(text, size - 1) + "…", size)

    return [GAP.join(cell(line[each], sizes[each]) for each in left).rstrip() for line in lines]


def _width(sizes: Sequence[int], columns: Sequence[int]) -> int:
    return sum(sizes[each] for each in columns) + len(GAP) * (len(columns) - 1)


def print_facts(facts: Iterable[tuple[str, str]], *, stderr: bool = False) -> None:
    """Print one `label  text` a line; a label that repeats is printed once."""
    from rich.text import Text

    if invocation().quiet and not stderr:
        return
    pairs = [(printable(label), printable(text)) for label, text in facts]
    width = max((len(label) for label, _ in pairs), default=0)
    out, above = console(stderr=stderr), ""
    for label, text in pairs:
        out.print(Text.assemble(("" if label == above else label).ljust(width), "  ", text), soft_wrap=True)
        above = label


def say(text: str, *, stderr: bool = False) -> None:
    """Print a line as it is, but for what a terminal would obey; on stdout nothing with `--quiet`."""
    if invocation().quiet and not stderr:
        return
    stream = sys.stderr if stderr else sys.stdout
    stream.write(printable(text) + "\n")
    stream.flush()


def print_json(data: Any) -> None:
    """Print JSON; moments are ISO 8601 in UTC with `Z`."""
    sys.stdout.write(json.dumps(data, default=_as_json, indent=2) + "\n")
    sys.stdout.flush()


def print_json_line(data: Any) -> None:
    """Print JSON in one line, of many that follow each other."""
    sys.stdout.write(json.dumps(data, default=_as_json) + "\n")
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


def minute_text(moment: datetime | None) -> str:
    """Return a moment as it stands in tables: `Sun 2026-11-22 02:00 CET`, with seconds where they are not zero."""
    text = moment_text(moment)
    return text if moment is None or moment.second else text.replace(":00 ", " ")


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
