"""The HTTP status of every code with which the scheduler refuses."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from framework.result import Result
from framework.web.json_answer import JsonAnswer
from framework.web.problems import unwrapped

_BY_STATUS = {
    HTTPStatus.FORBIDDEN: ("FORBIDDEN", "FUNCTION_NOT_ALLOWED"),
    HTTPStatus.NOT_FOUND: (
        "ARCHIVE_NOT_FOUND",
        "CALENDAR_NOT_FOUND",
        "CLEANUP_NOT_FOUND",
        "EXECUTION_NOT_FOUND",
        "FUNCTION_NOT_FOUND",
        "NODE_NOT_FOUND",
        "PLAN_NOT_FOUND",
        "TASK_NOT_FOUND",
        "UNKNOWN_OPERATION",
    ),
    HTTPStatus.CONFLICT: (
        "ALREADY_EXISTS",
        "AMBIGUOUS_NAME",
        "CLEANUPS_FROZEN",
        "CLEANUPS_READ_ONLY",
        "CORRUPT_DEFINITION",
        "GUARD_EXCEEDED",
        "IDEMPOTENCY_IN_PROGRESS",
        "INVALID_STATE",
        "NOT_PREVIEWABLE",
        "OTHER_DATABASE",
        "OVERLAP",
        "PLAN_CHANGED",
        "PLAN_OUTDATED",
        "PLAN_USED",
        "QUEUE_FULL",
        "TOO_MANY_TASKS",
    ),
    HTTPStatus.PRECONDITION_FAILED: ("PRECONDITION_FAILED",),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "IDEMPOTENCY_KEY_REUSED",
        "INVALID_CONFIG",
        "INVALID_CURSOR",
        "INVALID_EVENT",
        "INVALID_KIND",
        "INVALID_IDEMPOTENCY_KEY",
        "INVALID_LIMIT",
        "INVALID_MOMENT",
        "INVALID_PAYLOAD",
        "INVALID_QUEUE",
        "INVALID_TRIGGER",
        "INVALID_WINDOW",
        "TOO_MANY",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("CLEANUP_FAILED", "COMMAND_FAILED", "RESTORE_FAILED"),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "CHECK_FAILED",
        "CHECK_TIMED_OUT",
        "CLOCK_OFF",
        "EXECUTION_HELD_UP",
        "INVALID_FUNCTION",
        "LOOP_STUCK",
        "NODE_NOT_DRAINED",
        "STILL_OPEN",
        "STORE_UNREACHABLE",
        "TABLE_TAKEN",
    ),
}
STATUSES: Mapping[str, int] = {code: status.value for status, codes in _BY_STATUS.items() for code in codes}


LOCATION = {"Location": "The path of what was made."}


def made_at(request: Request, made: Result[Any], name: str) -> dict[str, str] | None:
    """Return the header that says where to find what a POST to a list has made: below it, by the id of this name."""
    return {"Location": f"{request.url.path}/{quote(made.data[name], safe='')}"} if made else None


def answer(result: Result[Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JsonAnswer:
    """Return the data of a success, or raise the problem that the refusal is."""
    return JsonAnswer(unwrapped(result, STATUSES), status, headers)
