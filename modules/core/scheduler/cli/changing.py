"""The commands `chamberlain tasks pause | resume | cancel`: of tasks by name, or of all that share something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.invocation import invocation
from framework.terminal import complain, print_ids, print_json, say
from modules.core.scheduler.cli.opening import REFUSED, AsJson, Reason, Yes, be_sure, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from framework.result import Result
    from modules.core.scheduler.asking import Scheduler

    Act = Callable[[Scheduler, str], Awaitable[Result[dict[str, Any]]]]

change_commands = typer.Typer()

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[TASK]...", help="Ids, or names where no other task has them.")
]
Tag = Annotated[str | None, typer.Option(help="All tasks with this tag; asks first.")]
OfModule = Annotated[str | None, typer.Option("--module", help="All tasks of this module; asks first.")]


@dataclass(frozen=True, slots=True)
class Which:
    """Which tasks are meant: these, or all that share a tag, a module, or both."""

    names: Sequence[str]
    tag: str | None
    module: str | None

    def check(self) -> None:
        """Refuse what names no tasks, or in two ways."""
        shared = self.tag is not None or self.module is not None
        if bool(self.names) == shared:
            raise typer.BadParameter("say which tasks: by TASK, or all of a --tag or a --module")

    async def tasks(self, scheduler: Scheduler, statuses: Sequence[str]) -> list[dict[str, Any]]:
        """Return the tasks; of those that share something, only where they have one of these statuses."""
        from modules.core.scheduler.asking import all_tasks, find_task

        if self.names:
            return [(await find_task(scheduler, name)).unwrap() for name in self.names]
        found = await all_tasks(scheduler, tag=self.tag, module_id=self.module)
        return [task for task in found if task["status"] in statuses]

    def in_words(self) -> str:
        """Return what they share: `of acme.reports with the tag nightly`."""
        module = f" of {self.module}" if self.module is not None else ""
        return module + (f" with the tag {self.tag}" if self.tag is not None else "")


@change_commands.command("pause")
def pause_tasks(
    tasks: Names = None,
    tag: Tag = None,
    module: OfModule = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Hold tasks until they are resumed; what runs finishes."""
    which = Which(tasks or (), tag, module)
    change = Change(
        "pause", "paused", ("pending", "running"), lambda scheduler, each: scheduler.pause_task(each, reason)
    )
    _change(which, change, yes=yes, as_json=as_json)


@change_commands.command("resume")
def resume_tasks(
    tasks: Names = None, tag: Tag = None, module: OfModule = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Let paused tasks go on, from now."""
    change = Change("resume", "resumed", ("paused",), lambda scheduler, each: scheduler.resume_task(each))
    _change(Which(tasks or (), tag, module), change, yes=yes, as_json=as_json)


@change_commands.command("cancel")
def cancel_tasks(
    tasks: Names = None,
    tag: Tag = None,
    module: OfModule = None,
    running: Annotated[bool, typer.Option("--running", help="Ask what runs to stop, too.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End tasks for good, after asking; their history stays, and what runs finishes."""

    async def cancel(scheduler: Scheduler, task_id: str) -> Result[dict[str, Any]]:
        return await scheduler.cancel_task(task_id, cancel_running=running)

    change = Change("cancel", "cancelled", ("pending", "running", "paused"), cancel, is_final=True)
    _change(Which(tasks or (), tag, module), change, yes=yes, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to tasks: in words, to which of many, and how; what is final is asked about even for one."""

    verb: str
    done: str
    statuses: Sequence[str]
    act: Act
    is_final: bool = False


def _change(which: Which, change: Change, *, yes: bool, as_json: bool) -> None:
    which.check()

    async def work(scheduler: Scheduler, _clock: Clock) -> None:
        found = await which.tasks(scheduler, change.statuses)
        if found and not yes and (change.is_final or not which.names):
            named = found[0]["name"] if len(found) == 1 else f"{len(found)} tasks{which.in_words()}"
            be_sure(f"{change.verb} {named}?")
        done, refused = await _carried_out(scheduler, change, found)
        _tell(which, change, done, refused, as_json=as_json)

    with_scheduler(work)


async def _carried_out(
    scheduler: Scheduler, change: Change, found: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the tasks as they are now, and `{"task_id", "name", "code", "message"}` of those that were refused."""
    done, refused = [], []
    for task in found:
        answer = await change.act(scheduler, task["id"])
        if answer.error is None:
            done.append(answer.data)
        else:
            why = {"code": answer.error.code, "message": answer.error.message}
            refused.append({"task_id": task["id"], "name": task["name"], **why})
    return done, refused


def _tell(
    which: Which, change: Change, done: list[dict[str, Any]], refused: list[dict[str, Any]], *, as_json: bool
) -> None:
    if as_json:
        print_json({"tasks": done, "refused": refused})
    elif invocation().quiet:
        print_ids(task["id"] for task in done)
    elif len(done) == 1:
        say(f"{done[0]['name']}: {change.done}")
    elif done or not refused:
        say(f"{len(done) or 'no'} tasks{which.in_words()} {change.done}")
    for each in refused:
        complain(f"{each['name']}: {each['message']}")
    if refused:
        raise typer.Exit(REFUSED)
