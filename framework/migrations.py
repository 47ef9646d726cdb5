"""The schema of every module, brought up to date by its own folder of Alembic revisions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from framework.database import Database
from framework.errors import FrameworkError
from framework.revisions import stands_at_head

if TYPE_CHECKING:  # Alembic takes long to import, and only an upgrade needs it
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

log = logging.getLogger(__name__)

# Alembic's `op` is one for the whole process: two upgrades in one event loop would write into each other's database.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class SchemaTooNew(FrameworkError):  # noqa: N818  # named after what is the case
    """The database was upgraded by a newer program; this one must not touch it."""

    def __init__(self, module_id: str, revision: str) -> None:
        super().__init__(
            f"the database is newer than this program: {module_id} is at revision {revision!r}, "
            "which is not known here; install the newer version (nothing was changed)"
        )
        self.module_id = module_id
        self.revision = revision


class MigrationsMissing(FrameworkError):  # noqa: N818  # named after what is the case
    """The folder of revisions that a module names is not there."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """Where a module keeps its revisions: `package.path:folder`, a folder of Alembic revision files, without env.py."""

    module_id: str
    location: str

    @property
    def version_table(self) -> str:
        """The table that remembers which revision the module's tables are at."""
        return f"alembic_version_{self.module_id.replace('.', '_')}"

    @property
    def folder(self) -> Path:
        """The folder on disk; raises `MigrationsMissing`."""
        package, _, name = self.location.partition(":")
        try:
            folder = Path(str(resources.files(package).joinpath(name)))
        except ModuleNotFoundError as error:
            raise MigrationsMissing(f"{self.module_id} names its migrations {self.location!r}: {error}") from error
        if not name or not folder.is_dir():
            raise MigrationsMissing(
                f"{self.module_id} names its migrations {self.location!r}: no such folder in {package}"
            )
        return folder


async def upgrade(database: Database, migrations: Sequence[Migrations]) -> dict[str, list[str]]:
    """Bring the schemas to their newest revisions, in the order given; return what was applied, by module id.

    All in one transaction, and one process at a time. Raises `SchemaTooNew` before anything is changed.
    """

    def work(connection: Connection) -> dict[str, list[str]]:
        waiting = _pending(connection, migrations)
        for module in migrations:
            if waiting[module.module_id]:
                _apply(connection, module)
        return waiting

    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        applied = await database.alter(work)
    for module_id, revisions in applied.items():
        if revisions:
            log.info("schema of %s upgraded to %s", module_id, revisions[-1], extra={"module_id": module_id})
    return applied


async def pending(database: Database, migrations: Sequence[Migrations]) -> dict[str, list[str]]:
    """Return the revisions that `upgrade` would apply, oldest first, by module id; raises `SchemaTooNew`."""
    return await database.read(lambda connection: _pending(connection, migrations))


async def current(database: Database, migrations: Sequence[Migrations]) -> dict[str, str | None]:
    """Return the revision each module's schema is at, by module id; None where there is no schema yet."""

    def work(connection: Connection) -> dict[str, str | None]:
        return {m.module_id: next(iter(_heads(connection, m)), None) for m in migrations}

    return await database.read(work)


def _pending(connection: Connection, migrations: Sequence[Migrations]) -> dict[str, list[str]]:
    return {
        m.module_id: [] if stands_at_head(connection, m.version_table, m.folder) else _missing(_heads(connection, m), m)
        for m in migrations
    }


def _missing(heads: tuple[str, ...], module: Migrations) -> list[str]:
    scripts = _scripts(module)
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in heads:
        if revision not in known:
            raise SchemaTooNew(module.module_id, revision)
    newer = scripts.iterate_revisions(tuple(scripts.get_heads()), heads or "base")
    return [script.revision for script in newer][::-1]


def _heads(connection: Connection, module: Migrations) -> tuple[str, ...]:
    from alembic.runtime.migration import MigrationContext

    opts = {"version_table": module.version_table}
    return MigrationContext.configure(connection, opts=opts).get_current_heads()


def _scripts(module: Migrations) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    folder = str(module.folder)
    return ScriptDirectory(folder, version_locations=[folder])


def _apply(connection: Connection, module: Migrations) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    scripts = _scripts(module)

    def steps(revision: str, _context: MigrationContext) -> object:
        return scripts._upgrade_revs("head", revision)  # noqa: SLF001  # what `alembic upgrade` calls; there is no other door

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(
            connection, version_table=module.version_table, render_as_batch=True, transactional_ddl=True
        )
        environment.run_migrations()
