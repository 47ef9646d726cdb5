"""Programs run in processes of their own, for what only several processes can show."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
START = "import sys; print('ready', flush=True); sys.stdin.readline()\n"


def run_together(program: str, count: int, path: Sequence[Path] = ()) -> list[str]:
    """Run the program so many times at once, warnings as errors; return what each printed; all must exit with 0."""
    folders = os.pathsep.join(str(folder) for folder in (*path, ROOT))
    command = [sys.executable, "-W", "error", "-c", _waiting_at_the_start(program)]
    processes = [
        subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": folders},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        return _answers(processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _waiting_at_the_start(program: str) -> str:
    """Let the program import everything first, so that all copies begin their work at the same moment."""
    imports, begin, work = textwrap.dedent(program).partition("\nasync def ")
    return imports + "\n" + START + begin + work


def _answers(processes: list[subprocess.Popen[str]]) -> list[str]:
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    answers = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, complaints = process.communicate()
        assert process.returncode == 0, complaints
        answers.append(out.strip())
    return answers
