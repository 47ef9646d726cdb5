"""What docs/rest.md sends is sent to a real server, line by line, and nothing of it is refused."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from documents import blocks

from framework import Application
from framework.web.serving import serving
from modules.core.scheduler import SchedulerService

ADDRESS = "http://127.0.0.1:8000"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page speaks of curl")
async def test_every_example_is_answered(sqlite_url: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "framework": {"database_url": sqlite_url, "data_dir": str(tmp_path), "http_port": 0},
        "core.scheduler": {"enabled": False, "timezone": "UTC"},
    }
    async with Application(modules=["core.scheduler"], settings=settings) as app_context:
        scheduler = app_context.get_service(SchedulerService)
        scheduler.register_function("acme.reports", "nightly", lambda: None, api=True)
        async with serving(app_context) as url:
            told, status = await carry_out(url)
        revision = (await scheduler.get_task("once")).unwrap()["revision"]

    assert status == 0, told
    assert revision == 2


async def carry_out(url: str) -> tuple[str, int | None]:
    """Run the page's blocks in one shell; return what it printed, and its exit status."""
    page = "\n".join(block.text for block in blocks("docs/rest.md") if block.language == "sh")
    assert ADDRESS in page
    script = "set -eux -o pipefail\n" + page.replace(ADDRESS, url.rstrip("/"))
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
    shell = await asyncio.create_subprocess_exec("bash", "-c", script, **pipes)
    told, _ = await shell.communicate()
    return told.decode()[-3_000:], shell.returncode
