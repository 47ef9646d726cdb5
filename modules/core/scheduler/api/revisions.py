"""Entity tags: a task's is its revision, and If-Match lets nobody change a task that is no longer as they saw it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import Depends, Header

from modules.core.scheduler.api.given import TaskId
from modules.core.scheduler.expecting import expecting

TAG = re.compile(r'\s*"(\d{1,18})"\s*')

IfMatch = Annotated[
    str | None,
    Header(description="Change the task only while this is its `ETag`; else 412. `*` for whatever it is."),
]


async def _as_seen(task_id: TaskId, if_match: IfMatch = None) -> AsyncIterator[None]:
    """Let the handler change the task only as it was seen; what is no tag of ours matches nothing."""
    any_will_do = if_match is None or if_match.strip() == "*"
    tags = [] if any_will_do else [TAG.fullmatch(tag) for tag in (if_match or "").split(",")]
    with expecting(task_id, None if any_will_do else {int(tag[1]) for tag in tags if tag is not None}):
        yield


AS_SEEN = (Depends(_as_seen),)
TAG_TOLD = {"ETag": "Changes when somebody changes the task, and not when it runs."}


def tagged(task: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that tell a task's tag; it changes when somebody changes the task, not when that runs."""
    return {"ETag": f'"{task["revision"]}"'}
