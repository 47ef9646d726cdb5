"""A module for the tests of the command line: its functions greet, fail, and go on until a file lets them go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_line import Project, Started

CLERK = """
import asyncio
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

from framework import Module
from modules.core.scheduler import declare_function, declare_task

MORNING = {"cron": "0 6 * * *", "timezone": "UTC"}


def tell(text):
    print(text, file=sys.stderr, flush=True)


async def greet(*, name, token=""):
    return f"hello {name}"


async def fail():
    raise ValueError("no luck\\n\\x1b[31mat all")


async def hold():
    tell("holds")
    while not Path("go").exists():
        await asyncio.sleep(0.01)


def block():
    tell("blocks")
    while not Path("go").exists():
        time.sleep(0.01)


async def block_the_loop():
    block()


class Clerk(Module):
    id = "acme.clerk"
    requires = ("core.scheduler",)

    def register(self, app_context):
        for function in (fail, hold, block, block_the_loop):
            declare_function(app_context, function.__name__, function)
            declare_task(app_context, {"name": function.__name__, "function_name": function.__name__, **MORNING})
        declare_function(app_context, "greet", greet, secret=["token"])
        greeting = {"function_name": "greet", "parameters": {"name": "you", "token": "hunter2"}}
        declare_task(app_context, {"name": "greet", "tags": ["polite"], **greeting, **MORNING})
        declare_task(app_context, {"name": "greet at once", **greeting, "schedule_time": "now"})

    @asynccontextmanager
    async def lifespan(self, app_context):
        with Path("starts").open("a") as file:
            file.write("started\\n")
        yield
"""


def clerks_project(folder: Path) -> Project:
    """Return a project with the module; nothing has run in it yet."""
    project = Project(folder)
    project.put_module("acme.clerk", CLERK)
    return project


def running(project: Project, **variables: str) -> Started:
    """Return the application, running, once it has carried out its first execution."""
    started = project.start("run", **variables)
    started.until("✓ greet at once  succeeded in ")
    return started


def let_go(project: Project) -> None:
    """Let the functions end that hold."""
    (project.folder / "go").touch()


def outcomes(project: Project, task: str) -> list[tuple[int, str, str | None]]:
    """Return attempt, state and reason of a task's executions, oldest first."""
    found: list[dict[str, Any]] = project.json("executions", "list", "--task", task)["executions"]
    return [(each["attempt"], each["state"], each["reason"]) for each in found[::-1]]
