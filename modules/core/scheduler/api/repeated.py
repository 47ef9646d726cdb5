"""Idempotency-Key: a POST that is sent again with the same key is answered again, and carried out once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

from fastapi import Depends, Header
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from framework.caller import caller
from framework.context import AppContext
from framework.web.problems import Problem, unwrapped
from framework.web.strict_route import StrictRoute
from modules.core.scheduler.api.statuses import STATUSES
from modules.core.scheduler.once import Answered, Once

HEADER, REPLAYED = "Idempotency-Key", {"Idempotency-Replayed": "true"}
TOLD = ("ETag", "Location")  # headers of an answer that belong to what was done

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Check = Callable[[], Coroutine[Any, Any, None]]
Key = Annotated[
    str | None,
    Header(description="Sent again with the same key within a day, the request is answered again and done once."),
]


async def _may_repeat(idempotency_key: Key = None) -> None:
    """Document the header; it is read before anything else is."""


MAY_REPEAT = (Depends(_may_repeat),)
REFUSALS = ("IDEMPOTENCY_KEY_REUSED", "IDEMPOTENCY_IN_PROGRESS", "INVALID_IDEMPOTENCY_KEY")


def route_class(app_context: AppContext) -> type[APIRoute]:
    """Return the class of routes that remember what they have answered."""
    once = Once(app_context)

    class RememberingRoute(StrictRoute):
        def get_route_handler(self) -> Handler:
            answer = super().get_route_handler()
            calls = [each.call for each in self.dependant.dependencies]
            checks = [call for call in calls if call is not None and hasattr(call, "scope")]
            return _remembering(once, checks, answer) if "POST" in (self.methods or ()) else answer

    return RememberingRoute


def _remembering(once: Once, checks: Sequence[Check], answer: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return await answer(request)
        for check in checks:  # an answer is kept longer than a scope
            await check()
        digest = hashlib.sha256(f"{request.url.path}?{request.url.query}\n".encode() + await request.body()).hexdigest()
        try:
            begun = unwrapped(await once.begin(caller().identity or caller().name, key, digest), STATUSES)
        except Problem as problem:
            problem.headers.update({"Retry-After": "1"} if problem.code == "IDEMPOTENCY_IN_PROGRESS" else {})
            raise
        if isinstance(begun, Answered):
            return Response(begun.body, begun.status, begun.headers | REPLAYED, media_type="application/json")
        try:
            answered = await answer(request)
        except Exception:  # what is cancelled may have been done, and is not begun again at once
            await once.refused(begun)
            raise
        headers = {name: answered.headers[name] for name in TOLD if name in answered.headers}
        await once.answered(begun, Answered(answered.status_code, headers, bytes(answered.body).decode()))
        return answered

    return handle
