"""Refusals over HTTP: problem documents of RFC 9457, with the code and details of a Result."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.responses import Response

from framework.result import Result
from framework.web.json_answer import JsonAnswer

T = TypeVar("T")

MEDIA_TYPE = "application/problem+json"
CHALLENGE = {"WWW-Authenticate": "Bearer"}
HOW_TO = "send `Authorization: Bearer <token>`; `chamberlain tokens create NAME --scope read` makes a token"


class Problem(Exception):  # noqa: N818  # the field's word for it
    """Raised anywhere below a route; answered as a problem document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.details = None if details is None else dict(details)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """Return `{"type", "title", "status", "detail", "code", "details"}`."""
        return {
            "type": f"urn:chamberlain:problem:{self.code.lower().replace('_', '-')}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "details": self.details,
        }

    def response(self) -> Response:
        """Return the answer that it makes."""
        return JsonAnswer(self.document(), self.status, headers=self.headers, media_type=MEDIA_TYPE)


class NoToken(Problem):
    """Nobody known asks for what is not open to anybody."""

    def __init__(self) -> None:
        super().__init__(401, "UNAUTHORIZED", f"this needs a token: {HOW_TO}", headers=CHALLENGE)


class WrongToken(Problem):
    """A token that nobody has."""

    def __init__(self, detail: str = HOW_TO) -> None:
        super().__init__(401, "UNAUTHORIZED", detail, headers=CHALLENGE)


def unwrapped(result: Result[T], statuses: Mapping[str, int]) -> T:
    """Return the data of a success, or raise the `Problem` whose status the code has in `statuses`, 500 otherwise."""
    if result.error is not None:
        error = result.error
        raise Problem(statuses.get(error.code, 500), error.code, error.message, error.details)
    return result.data
