"""What a browser shows where a page or a form is refused: what to do, and the way back."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from framework.web.problems import Problem
from modules.core.scheduler.dashboard.forms import is_ours

HEADINGS = {
    "NOT_FOUND": "There is no such page",
    "INTERNAL_ERROR": "Something went wrong here",
    "TOO_MANY_REQUESTS": "That was too much at once",
}
ADVICE = {
    "FORM_EXPIRED": "Nothing was changed. Load the page again, and send the form once more.",
    "FORBIDDEN": "Nothing was changed. Sign out, and sign in with a token that has this scope.",
    "INVALID_REQUEST": "Nothing was changed. Go back, and try once more.",
    "CROSS_SITE": "Nothing was changed. Open the page here, and do it there.",
    "BODY_TOO_LARGE": "Nothing was changed. Go back, and send less.",
    "TOO_MANY_REQUESTS": "Nothing was changed. Wait a moment, and load the page again.",
    "NOT_FOUND": "The address is misspelt, or what was there is gone.",
    "METHOD_NOT_ALLOWED": "Nothing was changed. Only forms of the pages are sent there.",
    "INTERNAL_ERROR": "Load the page again. Where that does not help, the log of the server has the reason.",
}


def told_of(request: Request, problem: Problem) -> dict[str, object]:
    """Return what the page of a refusal says: `{"error", "heading", "advice", "came_from", "said"}`."""
    message = f"{problem.detail[:1].upper()}{problem.detail[1:]}".removesuffix(".")
    return {
        "error": {"code": problem.code, "message": f"{message}."},
        "heading": HEADINGS.get(problem.code, "That was refused"),
        "advice": ADVICE.get(problem.code, ""),
        "came_from": came_from(request),
        "said": "",
    }


def came_from(request: Request) -> str:
    """Return the path of the page on which the reader was, empty where that was none of this site, or this one."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host") or not is_ours(parts.path):
        return ""
    page = parts.path + (f"?{parts.query}" if parts.query else "")
    return "" if request.method == "GET" and parts.path == request.url.path else page
