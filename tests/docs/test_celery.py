"""The function of docs/how-to/executors.md that brings Celery's tasks under the scheduler's works as it is written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, blocks

PINNED = "celery==5.7.0"
CACHE = ROOT / "build" / "celery"


@pytest.fixture(scope="module")
def celery() -> Path:
    """Celery with what it needs, in a folder of its own: nothing of the project depends on it."""
    folder = CACHE / f"{PINNED}-{sys.version_info[0]}.{sys.version_info[1]}"
    if not (folder / "installed").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
        done = subprocess.run([*pip, "--target", str(folder), PINNED], capture_output=True, text=True, check=False)
        if done.returncode:
            _without_celery(done.stderr)
        (folder / "installed").touch()
    return folder


def _without_celery(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"no Celery to test with: {reason}")
    pytest.skip(f"NOT TESTED WITH CELERY: {reason}")


@pytest.mark.slow
async def test_celerys_tasks_end_as_the_page_says(celery: Path, tmp_path: Path) -> None:
    (program,) = (block for block in blocks("docs/how-to/executors.md") if "from celery import" in block.text)

    child = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "tests" / "on_celery.py"), str(celery), str(tmp_path),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    printed, complaints = await child.communicate(program.text.encode())

    assert child.returncode == 0, complaints.decode()
    told = json.loads(printed.decode().splitlines()[-1])
    assert {name: each["state"] for name, each in told.items()} == {
        "unheard": "cancelled",
        "add": "succeeded",
        "refuse": "failed",
        "behind": "cancelled",
        "hold": "succeeded",
    }
    assert (told["add"]["result"], told["refuse"]["error"]) == (3, "ValueError: no such order")
    assert told["unheard"]["error"] == "ExecutionCancelled: Celery does not say whether it has stopped"
    assert told["behind"]["error"] == "ExecutionCancelled: Celery has revoked it"
