"""The command `chamberlain` in the process of the test, on a database of the test's own; quicker than a process."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Answer

from framework.cli import main

LISTS = "core.scheduler:scheduler.list_tasks"  # a function that every application has


class Desk:
    """Calls commands; what runs are functions that every application has."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
        self.folder = folder
        monkeypatch.chdir(folder)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    def call(self, *arguments: str, terminal: bool = False) -> Answer:
        """Run a command to its end, on what says that it is a terminal where that is wanted."""
        status = 0
        out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
        with _undone(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(arguments)
            except SystemExit as end:
                status = int(end.code or 0)
        return Answer(status, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> Any:
        """Run a command with --json; return what it printed. It must end with 0."""
        answer = self.call(*arguments, "--json")
        assert answer.status == 0, answer.err
        return json.loads(answer.out)

    def add(self, name: str, *options: str) -> str:
        """Schedule a task that lists tasks, a year from now unless the options say when; return its id."""
        when = () if {"--at", "--in", "--every", "--cron", "--event"} & {*options} else ("--in", "365 days")
        return str(self.json("tasks", "add", name, "--function", LISTS, *when, *options)["task_id"])


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@contextlib.contextmanager
def _undone() -> Iterator[None]:
    """Put back what a command changes of its process."""
    path, handlers, level = [*sys.path], logging.root.handlers[:], logging.root.level
    try:
        yield
    finally:
        sys.path[:] = path
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
