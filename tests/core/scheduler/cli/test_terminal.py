"""What the commands print fits the terminal, wears colours only there, and moves nothing that others wrote."""

from __future__ import annotations

import re

import pytest
from commands import Desk
from rich.cells import cell_len

LONG = "the nightly report of everything that happened in the shop"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38|48)")


@pytest.fixture
def filled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with long names, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    desk.add(LONG, "--cron", "0 2 * * mon-fri", "--timezone", "Europe/Berlin")
    desk.add("wipes\u202e the \u200bscreen", "--at", "now", "-p", "cursor=nonsense")
    desk.call("tick")
    return desk


def test_tables_fit_eighty_columns(filled: Desk) -> None:
    lists = [f"{what} list" for what in ("tasks", "executions", "nodes", "queues", "functions", "cleanups", "audit")]

    shown = {each: filled.call(*each.split(), terminal=True).out.splitlines() for each in lists}

    widths = {
        each: max(cell_len(ESCAPE.sub("", line)) for line in lines if " attention: " not in line)
        for each, lines in shown.items()
    }
    assert {each: width for each, width in widths.items() if width > 80} == {}


def test_a_narrow_list_keeps_what_matters_and_a_pipe_gets_all(filled: Desk) -> None:
    heads, *rows = (ESCAPE.sub("", line) for line in filled.call("tasks", "list", terminal=True).out.splitlines())
    piped = filled.call("tasks", "list").out

    assert heads.split() == ["NEXT", "LEFT", "PASSED", "STATE", "TASK", "TRIGGER"]
    assert [row for row in rows if re.search(r"  the nightly[^…]*…  [^…]+…$", row)]
    assert LONG in piped


def test_no_text_of_others_is_obeyed(filled: Desk) -> None:
    shown = "".join(
        filled.call(*command.split(), terminal=True).out
        for command in ("tasks list", "executions list --failed", "tasks list --search wipes")
    )

    assert "\u202e" not in shown
    assert "\u200b" not in shown
    assert "wipes\\u202e" in filled.call("tasks", "list").out


def test_colours_are_for_terminals_that_want_them(filled: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dressed, piped = filled.call("tasks", "list", terminal=True).out, filled.call("tasks", "list").out
    monkeypatch.setenv("NO_COLOR", "1")
    plain = filled.call("executions", "wait", "wipes\u202e the \u200bscreen", terminal=True)

    assert ESCAPE.search(dressed)
    assert not ESCAPE.search(piped)
    assert not COLOUR.search(plain.out + plain.err)
