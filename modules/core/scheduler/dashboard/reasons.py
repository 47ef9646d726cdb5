"""Reasons in words: what a code beside a state means, for those who have not read the list of them."""

from __future__ import annotations

from modules.core.scheduler.execution import Reason

WORDS = {
    Reason.OVERLAP: "another run of the task was open",
    Reason.QUEUE_FULL: "too many runs of the task waited already",
    Reason.SKIPPED_BY_REQUEST: "left out by hand",
    Reason.REPLACED: "a newer run took its place",
    Reason.MISFIRE_GRACE: "found later than its grace time allows",
    Reason.CATCH_UP_NONE: "its time had passed, and the task catches up nothing",
    Reason.ENDED: "its schedule had ended before it could start",
    Reason.CATCH_UP_LIMIT: "its time had passed, and only the newest are caught up",
    Reason.FUNCTION_NOT_REGISTERED: "no node has its function",
    Reason.CRASH_LIMIT: "it ended with its node too often",
    Reason.SHUTDOWN: "its node was stopped",
    Reason.CANCELLED_BY_REQUEST: "cancelled by hand",
    Reason.TASK_CANCELLED: "its task was cancelled",
    Reason.NODE_LOST: "its node died, or was silent too long",
    Reason.TIMEOUT: "its time limit was over",
    Reason.CORRUPT_DEFINITION: "its task cannot be read",
    Reason.CORRUPT_PARAMETERS: "its parameters cannot be read",
    Reason.OPERATOR: "corrected by hand",
    Reason.NOT_DECLARED: "the code of its module declares it no more",
    Reason.CALENDAR_EXCLUDES_ALL: "its calendars leave it no time",
    Reason.NO_COINCIDENCE: "no time was found that fits all its triggers",
    Reason.TASK_PAUSED: "its task is or was paused",
    Reason.PAUSED: "its module is held back",
    Reason.LIMIT: "as many run as may at once",
    Reason.RATE_LIMIT: "as many have started as may in that time",
    Reason.DEBOUNCE: "it gathers further events",
    Reason.EXECUTOR_UNREACHABLE: "the cluster that was to run it does not answer",
}


def why(reason: str | None) -> str:
    """Return what a reason means; what is no reason of ours as it is, and nothing for none."""
    return {code.value: words for code, words in WORDS.items()}.get(reason or "", reason or "")
