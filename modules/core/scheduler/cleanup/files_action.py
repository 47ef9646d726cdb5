"""What is done with the files that a policy condemns, beside deleting them: the keys of a policy that say so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from modules.core.scheduler.cleanup.guards import Guarded
from modules.core.scheduler.cleanup.paths import AllowedPath
from modules.core.scheduler.cleanup.policy import PositiveDuration

DEFAULT_TRASH_FOR = timedelta(days=30)
_ACTION_OF = {"archive_to": "archive", "trash_for": "trash"}


class FilesAction(Guarded):
    """The keys of a files policy that say what is done with the files it condemns."""

    kind: ClassVar[str] = "files"

    directory: AllowedPath = Field(description="Absolute path below an allowed root.")
    action: Literal["delete", "archive", "trash", "compress"] = Field(
        "delete",
        description="What is done with the files: deleted, moved to archive_to, moved to the trash of the root, or "
        "compressed with gzip where they are.",
    )
    archive_to: dict[Literal["directory"], AllowedPath] | None = Field(
        None, min_length=1, description='For `archive`: `{"directory": path}`, below an allowed root, too.'
    )
    trash_for: PositiveDuration | None = Field(
        None, description="For `trash`: how long files stay there before a later run deletes them; 30 days by default."
    )

    @model_validator(mode="before")
    @classmethod
    def _thirty_days_of_trash(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("action") == "trash" and values.get("trash_for") is None:
            return {**values, "trash_for": DEFAULT_TRASH_FOR}
        return values

    @field_validator(*_ACTION_OF)
    @classmethod
    def _of_the_action(cls, value: object, info: ValidationInfo) -> object:
        action = _ACTION_OF[str(info.field_name)]
        if value is not None and info.data.get("action", action) != action:
            raise ValueError(f"it belongs to the action {action!r}")
        return value

    @field_validator("archive_to")
    @classmethod
    def _elsewhere(cls, place: dict[str, Path] | None, info: ValidationInfo) -> dict[str, Path] | None:
        cleaned = info.data.get("directory")
        if place is None or cleaned is None:
            return place
        archive = place["directory"]
        if archive == cleaned or archive in cleaned.parents or cleaned in archive.parents:
            raise ValueError(f"{str(archive)!r} and the directory that is cleaned must not hold one another")
        return place

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.action == "archive" and self.archive_to is None:
            raise ValueError("the action 'archive' needs archive_to")
        return self

    @property
    def archive_directory(self) -> Path | None:
        """The directory that files are moved to, or None."""
        return None if self.archive_to is None else self.archive_to["directory"]
