"""The only rooms that know one database from another: transactions, moments, and the verbs both databases offer."""

from framework.database.agreeing import agree_on_time
from framework.database.database import Database
from framework.database.failures import is_lost, is_transient, is_unique_violation
from framework.database.inserting import Insertion, Notice
from framework.database.joining import (
    AsyncJoinable,
    Joinable,
    Joining,
    OtherDatabaseError,
    SyncJoinable,
    explain_lock,
    join,
    refuse_other,
)
from framework.database.location import POSTGRESQL, SQLITE, DatabaseUrlError
from framework.database.metering import metering
from framework.database.moments import NaiveMomentError, UtcDateTime, moment_of
from framework.database.neighbours import is_shared
from framework.database.notices import Listener, notify
from framework.database.prepared import Prepared
from framework.database.rows import change_rows, insert_rows, read_moment, run
from framework.database.verbs import (
    among_addresses,
    aside,
    bound_waiting,
    commits_of_others,
    delete_triggers,
    for_update,
    has_addresses,
    insert_ignore,
    lock_names,
    one_of,
    row_address,
    skip_locked,
    try_locks,
    unweighed,
    upsert,
    write_log_back,
)

__all__ = [
    "agree_on_time",
    "among_addresses",
    "aside",
    "POSTGRESQL",
    "SQLITE",
    "AsyncJoinable",
    "Database",
    "DatabaseUrlError",
    "Insertion",
    "Joinable",
    "Joining",
    "Listener",
    "NaiveMomentError",
    "OtherDatabaseError",
    "Prepared",
    "SyncJoinable",
    "UtcDateTime",
    "bound_waiting",
    "change_rows",
    "commits_of_others",
    "delete_triggers",
    "explain_lock",
    "for_update",
    "has_addresses",
    "insert_ignore",
    "insert_rows",
    "is_lost",
    "is_shared",
    "is_transient",
    "is_unique_violation",
    "join",
    "lock_names",
    "metering",
    "moment_of",
    "Notice",
    "notify",
    "one_of",
    "read_moment",
    "refuse_other",
    "row_address",
    "run",
    "skip_locked",
    "try_locks",
    "unweighed",
    "upsert",
    "write_log_back",
]
