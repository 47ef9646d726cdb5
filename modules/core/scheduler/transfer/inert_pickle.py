"""Reads a pickle as plain data: what it would import and call is only named, and nothing of it is ever done.

Pickles are programs, and to load one is to run it. Here the instructions are read with `pickletools`, and those that
would import, call or build become values that say so; there is no way from such a value to what it names.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 1_000_000
MOST_STEPS = 200_000

NUMBERS = ("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
TEXTS = ("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8")
LITERALS = frozenset([*NUMBERS, *TEXTS])
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
WITHOUT_MEANING = frozenset({"PROTO", "FRAME", "STOP"})


class PickleError(ValueError):
    """The bytes are no pickle, or one with what no plain data needs; the message says what."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a pickle would import."""

    module: str
    name: str


@dataclass(slots=True, eq=False, repr=False)
class Made:
    """What a pickle would call or build, with what; `state` is what it would then be given."""

    what: Any
    arguments: tuple[Any, ...]
    state: Any = None

    def attributes(self) -> dict[str, Any]:
        """Return the state by attribute, also where it is that of slots; empty where it is neither."""
        parts = self.state if isinstance(self.state, tuple) and len(self.state) == 2 else (self.state,)
        return {name: value for part in parts if isinstance(part, dict) for name, value in part.items()}


def shown(value: Any) -> str:
    """Return a few words for a value, however large it is and whatever it holds."""
    if isinstance(value, Made):
        return f"{shown(value.what)}(…)" if isinstance(value.what, Named) else "something made by a call"
    if isinstance(value, Named):
        return f"{value.module}.{value.name}"[:80]
    return repr(value[:80]) if isinstance(value, str) else f"a {type(value).__name__}"


def read_pickle(data: bytes) -> Any:
    """Return what a pickle holds: dict, list, tuple, str, bytes, numbers, None, and `Named` and `Made` for the rest.

    Raises `PickleError`, also for more than a megabyte or 200,000 instructions. Values may be shared between places.
    """
    if len(data) > MAX_BYTES:
        raise PickleError(f"{len(data):,} bytes; at most {MAX_BYTES:,} are read")
    machine = _Machine()
    try:
        for steps, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            machine.step(opcode.name, argument, steps)
        (value,) = machine.stack
    except PickleError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise PickleError(f"this is no pickle that makes sense: {error!r:.100}") from None
    return value


class _Machine:
    """The stack on which a pickle's instructions work."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any, steps: int) -> None:
        """Do one instruction, the one after so many."""
        if steps >= MOST_STEPS:
            raise PickleError(f"more than {MOST_STEPS:,} instructions")
        if name in LITERALS:
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in STEPS:
            STEPS[name](self, argument)
        elif name not in WITHOUT_MEANING:
            raise PickleError(f"it holds the instruction {name}, which no job needs")

    def mark(self, _: Any) -> None:
        self._below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Any]:
        items, self.stack = self.stack, self._below.pop()
        return items

    def put(self, index: int | None) -> None:
        self._memo[len(self._memo) if index is None else index] = self.stack[-1]

    def get(self, index: int) -> None:
        self.stack.append(self._memo[index])

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        if len(items) != count:
            raise PickleError("its stack is too short")
        del self.stack[-count:]
        self.stack.append(items)

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise PickleError("it fills what is no list")
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise PickleError("it fills what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (str, int, float, type(None))):
                raise PickleError("it has a key that is no text")
            target[key] = value

    def dict_of(self, items: list[Any]) -> None:
        self.stack.append({})
        self.set_items(items)

    def name(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise PickleError("it names what is no text")
        self.stack.append(Named(module, name))

    def make(self, _: Any) -> None:
        arguments, what = self.stack.pop(), self.stack.pop()
        if not isinstance(arguments, tuple):
            raise PickleError("it calls with what is no tuple")
        self.stack.append(Made(what, arguments))

    def build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Made):
            raise PickleError("it gives a state to what has none")
        target.state = state

    def last(self, count: int) -> list[Any]:
        items = self.stack[-count:]
        del self.stack[-count:]
        return items


STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    "MARK": _Machine.mark,
    "MEMOIZE": lambda m, _: m.put(None),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    "POP": lambda m, _: m.stack.pop(),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.marked())),
    "LIST": lambda m, _: m.stack.append(m.marked()),
    "DICT": lambda m, _: m.dict_of(m.marked()),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "APPEND": lambda m, _: m.append(m.last(1)),
    "APPENDS": lambda m, _: m.append(m.marked()),
    "SETITEM": lambda m, _: m.set_items(m.last(2)),
    "SETITEMS": lambda m, _: m.set_items(m.marked()),
    "GLOBAL": lambda m, argument: m.name(*argument.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.name(*m.last(2)),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.make),
    "BUILD": _Machine.build,
}
