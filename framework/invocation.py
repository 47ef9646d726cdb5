"""What one call of the command line is told for all of it: where the application is, and how little to print."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

WITH_VALUE, FLAGS = ("--url",), ("--debug", "--quiet")


@dataclass(frozen=True, slots=True)
class Invocation:
    """`url` is where a server answers, None where the database is asked; `quiet` prints ids and nothing else."""

    url: str | None = None
    quiet: bool = False


NOTHING = Invocation()
_current: ContextVar[Invocation] = ContextVar("invocation", default=NOTHING)


def invocation() -> Invocation:
    """Return what this call of the command line was told."""
    return _current.get()


def invoke(told: Invocation) -> None:
    """Let this be what the call of the command line was told, from here on."""
    _current.set(told)


def to_the_front(arguments: Sequence[str], option: str) -> list[str] | None:
    """Return the arguments with an option of the whole command line in front; None where `option` is no such option.

    So that it may stand anywhere: a command that does not know the option refuses it, and is called again.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for number in range(end - 1, 0, -1):
        name, has_value, _ = arguments[number].partition("=")
        if name == option and name in (*WITH_VALUE, *FLAGS):
            behind = number + (2 if name in WITH_VALUE and not has_value else 1)
            return [*arguments[number:behind], *arguments[:number], *arguments[behind:]]
    return None
