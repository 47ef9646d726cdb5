"""The programs of docs/how-to/embed.md work as they are written, under the frameworks that they are for."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from documents import blocks

PAGE = "docs/how-to/embed.md"
REMINDED = "the task has the parameters {'order': 7}"

IN_PROCESS = """
    from starlette.testclient import TestClient
    from {program} import app

    with TestClient(app) as client:
        task_id = client.post("/orders/7/reminder").json()["task_id"]
        scheduler = app.state.app_context.get_service("core.scheduler.service")
        task = client.portal.call(scheduler.get_task, task_id).unwrap()
        print("the task has the parameters", task["parameters"])
"""
WITH_LITESTAR = """
    from litestar.testing import TestClient
    from with_litestar import app

    with TestClient(app) as client:
        task_id = client.post("/orders/7/reminder").json()["task_id"]
        scheduler = app.state.app_context.get_service("core.scheduler.service")
        with client.portal() as portal:
            task = portal.call(scheduler.get_task, task_id).unwrap()
        print("the task has the parameters", task["parameters"])
        refused = client.get("/chamberlain/api/v1/scheduler/status")
        assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHORIZED")
        assert client.get("/chamberlain/health/live").status_code == 200
"""
WITH_FLASK = """
    from with_flask import create_app

    app = create_app()
    task_id = app.test_client().post("/orders/7/reminder").json["task_id"]
    (scheduler,) = (cell.cell_contents for cell in app.view_functions["remind_tomorrow"].__closure__)
    print("the task has the parameters", scheduler.get_task(task_id).unwrap()["parameters"])
"""
WITH_DJANGO = """
    import json, sys, types
    from django.conf import settings
    from django.urls import path

    settings.configure(ROOT_URLCONF="mysite.urls", ALLOWED_HOSTS=["*"], SECRET_KEY="of a test", MIDDLEWARE=[])
    from mysite.wsgi import application, scheduler
    from mysite.views import remind_tomorrow

    sys.modules["mysite.urls"] = types.ModuleType("mysite.urls")
    sys.modules["mysite.urls"].urlpatterns = [path("orders/<int:order>/reminder", remind_tomorrow)]
    from django.test import Client

    task_id = Client().post("/orders/7/reminder").json()["task_id"]
    print("the task has the parameters", scheduler.get_task(task_id).unwrap()["parameters"])
"""
FROM_ELSEWHERE = """
    import asyncio, os
    from framework import Application
    from framework.web.serving import serving
    from from_elsewhere import main

    async def serve() -> None:
        settings = {"framework": {"http_port": 0}}
        async with Application(["core.scheduler", "acme.reminders"], settings) as context, serving(context) as url:
            os.environ["CHAMBERLAIN_URL"] = url
            await main()

    asyncio.run(serve())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for block in blocks(PAGE):
        if block.file is not None:
            path = tmp_path / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    return tmp_path


@pytest.mark.parametrize("program", ["script.py", "plain_script.py"])
def test_a_script_does_what_is_due(program: str, project: Path) -> None:
    assert run(project, program) == "1 done\n"


def test_fastapi_schedules_from_a_route(project: Path) -> None:
    assert try_out(project, IN_PROCESS.format(program="with_fastapi")) == REMINDED


def test_another_process_schedules_over_http(project: Path) -> None:
    assert try_out(project, FROM_ELSEWHERE) == REMINDED


@pytest.mark.parametrize(
    ("framework", "trial"), [("litestar", WITH_LITESTAR), ("flask", WITH_FLASK), ("django", WITH_DJANGO)]
)
def test_another_framework_schedules_from_a_route(framework: str, trial: str, project: Path) -> None:
    if find_spec(framework) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{framework} is not installed: pip install '.[cookbook]'")
        pytest.skip(f"NOT TRIED WITH {framework.upper()}: pip install '.[cookbook]'")

    assert try_out(project, trial) == REMINDED


def test_the_settings_of_the_page_are_settings() -> None:
    from modules.core.scheduler import SchedulerSettings

    (toml,) = (block for block in blocks(PAGE) if block.language == "toml")

    assert not SchedulerSettings(**tomllib.loads(toml.text)["core.scheduler"]).enabled


def try_out(project: Path, trial: str) -> str:
    (project / "trial.py").write_text(textwrap.dedent(trial))
    return run(project, "trial.py").strip()


def run(project: Path, program: str) -> str:
    command = [sys.executable, program]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
