"""The command `chamberlain completion`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from framework.terminal import PROGRAM, say

VARIABLE = f"_{PROGRAM.upper()}_COMPLETE"


class Shell(StrEnum):
    """The shells that are known."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def be_asked() -> None:
    """Where a shell asks for the words that fit, be able to answer it."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()


def complete(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
    install: Annotated[bool, typer.Option("--install", help="Put it where the shell finds it, for this user.")] = False,
) -> None:
    """Print what lets a shell complete the words of commands, or install it."""
    from typer._completion_shared import get_completion_script
    from typer._completion_shared import install as put_in_place

    if not install:
        typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell.value))
        return
    _, path = put_in_place(shell=shell.value, prog_name=PROGRAM, complete_var=VARIABLE)
    say(f"{path} is in place; open a new {shell.value}")
