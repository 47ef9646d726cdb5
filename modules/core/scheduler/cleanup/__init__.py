"""The cleaning engine: typed policies, and what carries them out; it knows no schedule and stores nothing."""

from modules.core.scheduler.cleanup.actions import ActionError, Means
from modules.core.scheduler.cleanup.files import clean_files
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.fingerprint import fingerprinting
from modules.core.scheduler.cleanup.foreseen import changed, counted, planned_most
from modules.core.scheduler.cleanup.guards import NO_CEILING, Ceiling, Guarded, Limits
from modules.core.scheduler.cleanup.moving_back import trashed_runs
from modules.core.scheduler.cleanup.oldest import Oldest, oldest_file, oldest_row
from modules.core.scheduler.cleanup.parsing import AnyPolicy, PolicyError, Problem, parse_policy
from modules.core.scheduler.cleanup.policy import FunctionPolicy
from modules.core.scheduler.cleanup.report import Report, Tally, numbers_in, total
from modules.core.scheduler.cleanup.restoring import Restored, archives, restore
from modules.core.scheduler.cleanup.restoring_files import restorable_files, restore_files
from modules.core.scheduler.cleanup.rows import clean_rows
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.schema import check_rows_policy, count_rows, weak_spots
from modules.core.scheduler.cleanup.shrinking import shrink
from modules.core.scheduler.cleanup.trash import purge_roots, trash_root
from modules.core.scheduler.cleanup.walk import RefusedDirectoryError

__all__ = [
    "RefusedDirectoryError",
    "ActionError",
    "Means",
    "Restored",
    "archives",
    "restore",
    "AnyPolicy",
    "FilesPolicy",
    "FunctionPolicy",
    "Guarded",
    "Limits",
    "Oldest",
    "PolicyError",
    "Problem",
    "Report",
    "RowsPolicy",
    "Tally",
    "NO_CEILING",
    "Ceiling",
    "changed",
    "planned_most",
    "purge_roots",
    "trash_root",
    "trashed_runs",
    "check_rows_policy",
    "clean_files",
    "clean_rows",
    "count_rows",
    "counted",
    "fingerprinting",
    "numbers_in",
    "oldest_file",
    "oldest_row",
    "parse_policy",
    "weak_spots",
    "restorable_files",
    "restore_files",
    "shrink",
    "total",
]
