"""The seam of the audit: whoever changes something tells of it, and whoever keeps the audit writes it down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from framework.errors import ServiceMissing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from framework.context import AppContext


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to what: `action` is a word such as `pause`, `kind` one such as `task`.

    `before` and `after` hold the fields that have changed, as plain JSON without secrets; None where there was, or is,
    nothing.
    """

    action: str
    kind: str
    id: str | None
    name: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class AuditTrail(ABC):
    """The service that keeps the audit; a module provides a subclass of it."""

    @abstractmethod
    def record(self, c: Connection, deed: Deed) -> None:
        """Write down what `caller()` does, in the transaction that does it; of the application's own code, nothing."""


def record(app_context: AppContext, c: Connection, deed: Deed) -> None:
    """Write down what `caller()` does, where a module of this application keeps an audit."""
    try:
        trail = app_context.get_service(AuditTrail)  # type: ignore[type-abstract]  # asked for by its base class
    except ServiceMissing:
        return
    trail.record(c, deed)
