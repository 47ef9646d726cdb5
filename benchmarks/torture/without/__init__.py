"""Without: each protection of the product can be taken out of a process, to see that the checker misses it.

This package alone knows the product from inside. A protection is gone when the few lines that give it are replaced, or
when the statements are executed that take it out of the tables.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.torture.forking import forking
from benchmarks.torture.without import loops, nodes, roads, storing
from benchmarks.torture.without.storing import STATEMENTS, must_be_there

__all__ = ["PROTECTIONS", "STATEMENTS", "can_be_removed", "remove"]


def remove(name: str) -> None:
    """Take one protection out of this process; `STATEMENTS` has what else there is to do to the tables."""
    for statement in STATEMENTS.get(name, ()):
        must_be_there(statement.split()[-1])
    PROTECTIONS[name]()


def can_be_removed(name: str) -> bool:
    """Try it in a process of its own; False where the product has changed so that it must be done in another way."""
    process = forking().Process(target=remove, args=(name,))
    process.start()
    process.join()
    return process.exitcode == 0


PROTECTIONS: dict[str, Callable[[], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        nodes.fencing,
        nodes.recovery_of_the_dead,
        nodes.heartbeat_thread,
        roads.claim_by_compare_and_set,
        roads.uniqueness_of_occurrences,
        roads.firing_in_one_transaction,
        nodes.recovery_in_one_transaction,
        storing.undoing,
        roads.effect_and_ending_in_one_transaction,
        nodes.at_most_once,
        nodes.agreement_on_the_time,
        nodes.steady_clock,
        roads.stored_times,
        nodes.crash_limit,
        loops.loops_that_survive,
        loops.handing_back,
        nodes.steady_judges,
        roads.limit_of_a_node,
        storing.write_lock_from_the_beginning,
        storing.indexes_of_what_is_open,
        storing.executions_found_by_their_id,
        storing.small_batches_of_retention,
        loops.letting_go,
    )
}
