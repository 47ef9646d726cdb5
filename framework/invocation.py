"""What one call of the command line is told for all of it: how little to print."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

OPTIONS = ("--debug", "--quiet")


@dataclass(frozen=True, slots=True)
class Invocation:
    """`quiet` prints ids and nothing else."""

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
        if arguments[number] == option and option in OPTIONS:
            return [option, *arguments[:number], *arguments[number + 1 :]]
    return None
