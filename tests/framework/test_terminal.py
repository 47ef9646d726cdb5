"""What commands print fits the terminal, and a terminal obeys none of it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from framework.invocation import Invocation, invocation, invoke, to_the_front
from framework.terminal import fitted, print_table, say

HEADS = ("NEXT", "LAST", "TASK", "TRIGGER")
ROW = ("Sun 2026-11-22 02:00 CET", "2026-11-21", "daily cleanup of everything", "every day at 02:00 (Europe/Berlin)")
SHORT = ("-", "-", "x", "once")


@pytest.mark.parametrize("width", [200, 100, 80, 60, 52])
def test_a_table_fits_every_width_that_it_can(width: int) -> None:
    lines = fitted([HEADS, ROW, SHORT], width, spare=("LAST",), elastic=("TASK", "TRIGGER"))

    assert max(map(cell_len, lines)) <= width
    assert lines[1].startswith("Sun 2026-11-22 02:00 CET  ")
    assert ("LAST" in lines[0]) == (width > 60)


def test_the_longest_column_is_shortened_first_and_shows_that_it_is() -> None:
    heads, row, _ = fitted([HEADS, ROW, SHORT], 95, elastic=("TASK", "TRIGGER"))

    assert heads.split() == list(HEADS)
    assert row.endswith("daily cleanup of everything  every day at 02:00 (Europe/…")


def test_what_is_no_terminal_gets_all_of_a_table() -> None:
    lines = fitted([HEADS, ROW], None, spare=("LAST",), elastic=("TASK",))

    assert lines[1] == "  ".join(ROW)


def test_wide_letters_take_their_two_cells() -> None:
    lines = fitted([("TASK", "ID"), ("日" * 20, "7")], 20, elastic=("TASK",))

    assert cell_len(lines[1]) <= 20
    assert lines[1].endswith("…  7")


def test_what_a_terminal_would_obey_is_shown_instead(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("TASK",), [("\x1b[31mred\u202eder\n\u200b",)])

    assert capsys.readouterr().out == "TASK\n\\x1b[31mred\\u202eder\\n\\u200b\n"


def test_quiet_prints_ids_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    before = invocation()
    invoke(Invocation(quiet=True))
    try:
        print_table(("TASK", "ID"), [("a", "1"), ("b", "2")], ids=["1", "2"])
        say("2 tasks")
        say("but this is a warning", stderr=True)
    finally:
        invoke(before)

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("1\n2\n", "but this is a warning\n")


def test_what_is_meant_for_the_whole_command_line_may_stand_anywhere() -> None:
    assert to_the_front(["tasks", "list", "--quiet", "--json"], "--quiet") == ["--quiet", "tasks", "list", "--json"]
    assert to_the_front(["tasks", "list", "--wide"], "--wide") is None
    assert to_the_front(["tasks", "--", "--quiet"], "--quiet") is None
