"""Which processes carry executions out, and the queues in which these wait."""

from __future__ import annotations

from typing import cast

from fastapi import Request

from framework.caller import Scope
from modules.core.scheduler.dashboard.desk import Desk, Form, Values


def add(desk: Desk) -> None:
    """Add the screen and its actions."""

    @desk.screen("/nodes", "nodes.html")
    async def nodes(_: Request) -> Values:
        return {
            "screen": "nodes",
            "nodes": (await desk.scheduler.list_nodes()).unwrap(),
            "queues": (await desk.scheduler.list_queues()).unwrap(),
            "held": (await desk.scheduler.status()).unwrap()["paused"],
        }

    @desk.action("/nodes/{node_id}/drain", scope=Scope.OPERATE)
    async def drain_node(request: Request, form: Form) -> tuple[str, str | None]:
        undo = form.get("undo") == "yes"
        node = (await desk.scheduler.drain_node(str(request.path_params["node_id"]), undo=undo)).unwrap()
        return f"Node {node['id']} {'claims again' if undo else 'finishes what it runs and begins nothing more'}.", None

    _add_queues(desk)

    @desk.action("/everything/pause", scope=Scope.OPERATE)
    async def pause_everything(_: Request, form: Form) -> tuple[str, str | None]:
        (await desk.scheduler.pause_all(form.get("reason") or None)).unwrap()
        return "Everything is paused, on every node; what runs finishes.", None

    @desk.action("/everything/resume", scope=Scope.OPERATE)
    async def resume_everything(_: Request, __: Form) -> tuple[str, str | None]:
        (await desk.scheduler.resume_all()).unwrap()
        return "Everything goes on.", None


def _add_queues(desk: Desk) -> None:
    @desk.action("/queues/{name}/pause", scope=Scope.OPERATE)
    async def pause_queue(request: Request, form: Form) -> tuple[str, str | None]:
        queue = (await desk.scheduler.pause_queue(_name(request), form.get("reason") or None)).unwrap()
        return f"The queue {queue['name']} is paused on every node.", None

    @desk.action("/queues/{name}/resume", scope=Scope.OPERATE)
    async def resume_queue(request: Request, _: Form) -> tuple[str, str | None]:
        queue = (await desk.scheduler.resume_queue(_name(request))).unwrap()
        return f"The queue {queue['name']} goes on.", None

    @desk.action("/queues/{name}/limit", scope=Scope.OPERATE)
    async def limit_queue(request: Request, form: Form) -> tuple[str, str | None]:
        given = form.get("limit", "").strip()
        limit = int(given) if given.isdecimal() else given or None  # what is no number, the service refuses
        queue = (await desk.scheduler.limit_queue(_name(request), cast(int | None, limit))).unwrap()
        if queue["limit"] is None:
            return f"As many of the queue {queue['name']} run as there are slots.", None
        return f"At most {queue['limit']:,} of the queue {queue['name']} run at once, on all nodes together.", None


def _name(request: Request) -> str:
    return str(request.path_params["name"])
