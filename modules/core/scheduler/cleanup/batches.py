"""A batch of rows of which something goes along, or is done with them: locked, judged again, and then acted upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from framework.database import for_update
from modules.core.scheduler.cleanup.references import Dependents
from modules.core.scheduler.cleanup.row_sizes import bytes_of
from modules.core.scheduler.cleanup.table_rows import Key
from modules.core.scheduler.cleanup.target import Target

Act = Callable[[Connection, Target, Sequence[Key]], int]
"""What is done with a batch of rows, by their keys, within its transaction; returns with how many it was done."""


class Done(NamedTuple):
    """What a batch came to."""

    rows: int
    cascades: dict[str, int]
    """Rows of other tables that went along, by table."""
    bytes: int = 0
    """What the rows themselves came to, where a column tells it."""


def locked_batch(
    connection: Connection,
    target: Target,
    dependents: Dependents,
    keys: Sequence[Key],
    act: Act,
    check: Callable[[int, int, int], None],
) -> Done:
    """Do it within the batch's transaction; return with how many rows, how many of other tables, and how many bytes.

    `check` is told these before anything is done with the rows themselves, and raises where that is too much.
    """
    columns = [target.rows.raw(target.table, name) for name in target.key]
    still = for_update(select(*columns).where(target.again(keys)), of=target.table)
    chosen = [tuple(row) for row in connection.execute(still)]
    if not chosen:
        return Done(0, {})
    undone = connection.begin_nested()
    cascades = dependents.delete(connection, target.rows.among(target.table, chosen))
    size = bytes_of(connection, target, target.rows.among(target.table, chosen))
    check(len(chosen), sum(cascades.values()), size)
    done = act(connection, target, chosen)
    if cascades and done < len(chosen):  # else rows would stay whose children are gone
        undone.rollback()
        return Done(0, {})
    undone.commit()
    return Done(done, cascades, size)
