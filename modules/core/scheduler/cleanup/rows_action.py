"""What is done with the rows that a policy condemns, beside deleting them: the keys of a policy that say so."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from modules.core.scheduler.cleanup.guards import Guarded
from modules.core.scheduler.cleanup.names import Identifier, TableName
from modules.core.scheduler.cleanup.paths import AllowedPath
from modules.core.scheduler.cleanup.policy import PositiveDuration

PSEUDONYM = "hash"
DELETE, ARCHIVE, ANONYMISE, TRASH = "delete", "archive", "anonymise", "trash"
DROP_PARTITION = "drop_partition"
WHOLE_PARTITIONS = (DROP_PARTITION, "detach_partition")

_KEYS_OF: dict[str, tuple[str, ...]] = {
    "archive_to": (ARCHIVE,),
    "compress": (ARCHIVE,),
    "anonymise": (ANONYMISE,),
    "done_column": (ANONYMISE,),
    "trash_column": (TRASH, DELETE, ARCHIVE, ANONYMISE),
    "trash_for": (TRASH, DELETE, ARCHIVE, ANONYMISE),
}
_NEEDS = {
    ANONYMISE: ("anonymise",),
    TRASH: ("trash_column", "trash_for"),
    **dict.fromkeys(WHOLE_PARTITIONS, ("max_age",)),
}
_OF_PARTITIONS = {*Guarded.model_fields, "action", "table_name", "date_column", "max_age", "batch_size", "database"}


def _to_constant(value: object) -> object:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise ValueError(f"text, a number, true, false or null, not {value!r:.60}")


class ArchiveTo(BaseModel):
    """Where archived rows go: to another table of the same database, or to files of a folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    table: TableName | None = Field(None, description="Table with the same columns.")
    directory: AllowedPath | None = Field(None, description="Absolute path below an allowed root.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.table is None) == (self.directory is None):
            raise ValueError("give table or directory, one of them")
        return self


class RowsAction(Guarded):
    """The keys of a rows policy that say what is done with the rows it condemns."""

    kind: ClassVar[str] = "rows"

    action: Literal["delete", "archive", "anonymise", "trash", "drop_partition", "detach_partition"] = Field(
        "delete", description="What is done with the rows."
    )
    archive_to: ArchiveTo | None = Field(
        None,
        description='For `archive`: `{"table": name}` or `{"directory": path}`; by default the folder `archive` of the '
        "data folder.",
    )
    compress: bool = Field(default=False, description="For `archive`: files compressed with gzip.")
    anonymise: dict[Identifier, Annotated[Any, AfterValidator(_to_constant)]] | None = Field(
        None, min_length=1, description='For `anonymise`: column to a constant, to null, or to `"hash"`, a pseudonym.'
    )
    done_column: Identifier | None = Field(
        None, description="For `anonymise`: date or boolean column that marks rows done; needed for pseudonyms."
    )
    trash_column: Identifier | None = Field(
        None,
        description="For `trash`: date column, null in live rows, that is set when a row goes to the trash. Beside "
        "another action it says where rows lie in the trash from before.",
    )
    trash_for: PositiveDuration | None = Field(
        None, description="For `trash`: how long a row stays there before it is deleted."
    )
    shrink: bool | None = Field(
        None,
        description="SQLite files: true gives all free pages back to the disk after deleting, false none; by default "
        "when they are a tenth of the file.",
    )

    @field_validator(*_KEYS_OF)
    @classmethod
    def _of_the_action(cls, value: object, info: ValidationInfo) -> object:
        actions = _KEYS_OF[str(info.field_name)]
        if value not in (None, False) and info.data.get("action", actions[0]) not in actions:
            raise ValueError(f"it belongs to the action {' or '.join(map(repr, actions))}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = [name for name in _NEEDS.get(self.action, ()) if getattr(self, name) is None]
        if missing:
            raise ValueError(f"the action {self.action!r} needs {' and '.join(missing)}")
        if (self.trash_column is None) != (self.trash_for is None):
            raise ValueError("give trash_column and trash_for, both or neither")
        if self.compress and self.archive_to is not None and self.archive_to.table is not None:
            raise ValueError("compress is for archives in files, not for tables")
        if self.action in WHOLE_PARTITIONS and (others := self._rules()):
            raise ValueError(f"partitions go by their whole range; {', '.join(others)} would be passed over")
        if PSEUDONYM in (self.anonymise or {}).values() and self.done_column is None:
            raise ValueError("pseudonyms need a done_column: a pseudonym would become another one in the next run")
        return self

    def _rules(self) -> list[str]:
        fields = type(self).model_fields.items()
        return [name for name, field in fields if name not in _OF_PARTITIONS and getattr(self, name) != field.default]
