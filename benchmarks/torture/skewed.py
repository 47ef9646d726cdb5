"""A clock that is wrong: by the same amount for every process that shares its file, and by a skew of its own."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from framework.clock import SystemClock


class SkewedClock(SystemClock):
    """The system's clock, set wrong by `skew` seconds, and by what the file says at the moment."""

    def __init__(self, file: Path | None, skew: float) -> None:
        super().__init__()
        self._file = file
        self._skew = skew

    def machine_now(self) -> datetime:
        """Return the wrong time."""
        return datetime.now(UTC) + timedelta(seconds=self._skew + self._step())

    def _step(self) -> float:
        if self._file is None:
            return 0.0
        (step,) = struct.unpack("d", self._file.read_bytes())
        return float(step)


def set_clock(file: Path, step: float) -> None:
    """Set the clock of all who share the file: so many seconds from the true time."""
    new = file.with_suffix(".new")
    new.write_bytes(struct.pack("d", step))
    new.replace(file)  # in one step: nobody reads half of it
