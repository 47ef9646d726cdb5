"""Programs run in processes of their own, for what only several processes can show."""

from __future__ import annotations

import os
import signal
import textwrap
from collections.abc import Sequence
from pathlib import Path

from warm_process import Forked

ROOT = Path(__file__).parents[1]
SECONDS = 120
START = "import sys; print('ready', flush=True); sys.stdin.readline()\n"


def run_together(program: str, count: int, path: Sequence[Path] = ()) -> list[str]:
    """Run the program so many times at once, warnings as errors; return what each printed; all must exit with 0."""
    folders = os.pathsep.join(str(folder) for folder in (*path, ROOT))
    source = _waiting_at_the_start(program)
    copies = [_Copy(source, {**os.environ, "PYTHONPATH": folders}) for _ in range(count)]
    try:
        for copy in copies:
            copy.until_ready()
        for copy in copies:
            copy.begin()
        return [copy.answer() for copy in copies]
    finally:
        for copy in copies:
            copy.end()


def _waiting_at_the_start(program: str) -> str:
    """Let the program import everything first, so that all copies begin their work at the same moment."""
    imports, begin, work = textwrap.dedent(program).partition("\nasync def ")
    return imports + "\n" + START + begin + work


class _Copy:
    def __init__(self, source: str, environment: dict[str, str]) -> None:
        stdin, self._tell = os.pipe()
        printed, stdout = os.pipe()
        self._process = Forked(["-c", source], ROOT, environment, (stdin, stdout, 2))
        os.close(stdin)
        os.close(stdout)
        self._printed = os.fdopen(printed)

    def until_ready(self) -> None:
        self._printed.readline()

    def begin(self) -> None:
        os.write(self._tell, b"go\n")

    def answer(self) -> str:
        printed = self._printed.read()
        assert self._process.wait(SECONDS) == 0
        return printed.strip()

    def end(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(SECONDS)
        self._printed.close()
        os.close(self._tell)
