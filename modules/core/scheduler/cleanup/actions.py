"""What is done with a batch of condemned rows beside or instead of deleting them, within the batch's transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import SecretStr
from sqlalchemy import Connection

if TYPE_CHECKING:
    from modules.core.scheduler.cleanup.table_rows import Key
    from modules.core.scheduler.cleanup.target import Target


@dataclass(frozen=True, slots=True)
class Means:
    """What actions need beside the database."""

    roots: tuple[Path, ...] = ()
    """Absolute folders below which archives may be written."""
    archive_folder: Path | None = None
    """Where they are written when the policy names no place; it lies below a root."""
    pseudonym_key: bytes | None = None
    """The secret of pseudonyms."""

    @classmethod
    def of(cls, data_dir: Path, roots: tuple[Path, ...], pseudonym_key: SecretStr | None) -> Self:
        """Return those of an application: archives may lie in its data folder, whichever roots are cleaned."""
        home = data_dir.absolute()
        secret = None if pseudonym_key is None else pseudonym_key.get_secret_value().encode()
        return cls((*roots, home), home / "archive", secret)


class ActionError(Exception):
    """An action cannot be carried out; the message says why."""


class Action(ABC):
    """Does something with rows that the caller has chosen, judged again, and holds locked."""

    done: ClassVar[str]
    """Under which word a report counts it."""
    deletes: ClassVar[bool]
    """Whether the rows are gone afterwards."""

    @abstractmethod
    def __call__(self, connection: Connection, target: Target, keys: Sequence[Key]) -> int:
        """Do it, and return with how many rows; raises `SQLAlchemyError`, `OSError` or `ActionError`."""

    def finish(self) -> None:  # noqa: B027  # most have nothing to end
        """End the run, whether it failed or not; raises `OSError` or `ActionError`."""
