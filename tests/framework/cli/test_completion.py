"""Shells complete the words of commands, those of modules too."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

Commands = Any


@pytest.mark.parametrize(
    ("words", "fitting"),
    [("chamberlain ta", ["tasks"]), ("chamberlain tasks li", ["list"]), ("chamberlain db mo", ["move-to"])],
)
def test_the_words_that_fit_are_told(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, words: str, fitting: list[str]
) -> None:
    monkeypatch.setenv("_CHAMBERLAIN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))

    assert commands().out.split() == fitting


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_needs_is_printed_or_installed(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("HOME", str(commands.folder))

    printed = commands("completion", shell)
    installed = commands("completion", shell, "--install")

    assert "_CHAMBERLAIN_COMPLETE=complete_" in printed.out
    (path,) = [path for path in commands.folder.rglob("*chamberlain*") if path.is_file()]
    assert path.read_text().strip() == printed.out.strip()
    assert installed.out == f"{path} is in place; open a new {shell}\n"


def test_bash_takes_what_is_printed(commands: Commands) -> None:
    subprocess.run(["bash", "-n"], input=commands("completion", "bash").out, text=True, check=True)


def test_a_shell_that_is_not_known_is_wrong_usage(commands: Commands) -> None:
    assert commands("completion", "tcsh").status == 2
