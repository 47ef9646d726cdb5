"""Finding: something that is wrong with an application, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a word for what was looked at, `problem` a sentence with the values, `cure` what to do."""

    check: str
    problem: str
    cure: str
