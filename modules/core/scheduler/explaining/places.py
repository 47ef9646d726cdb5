"""The gates of the nodes: is there one that serves the queue, has the function, does not drain, and has room?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from framework.terminal import span
from modules.core.scheduler.explaining.around import Around
from modules.core.scheduler.explaining.facts import Facts, Subject
from modules.core.scheduler.explaining.words import Gate, closed, count, named, passed, untold

Node = Mapping[str, Any]


def serves(node: Node, queue: str) -> bool:
    """Whether a node has slots for a queue; one that names no queues serves all."""
    return not node["queues"] or node["queues"].get(queue, 0) > 0


def capacity(node: Node, queue: str) -> int:
    """Return how many executions of a queue a node takes at once."""
    slots = node["slots"] or 0
    return min(slots, node["queues"].get(queue, 0)) if node["queues"] else slots


def free_slots(facts: Facts, subject: Subject) -> list[tuple[Node, int]]:
    """Return the nodes that could run it, each with how many more it can take of its queue."""
    found = []
    for node in facts.nodes:
        able = node["alive"] and node["draining_since"] is None and serves(node, subject.queue)
        if able and subject.function_key in node["functions"]:
            of_queue = capacity(node, subject.queue) - facts.used(node["id"], subject.queue)
            room = (node["slots"] or 0) - node["running"]
            found.append((node, max(min(room, of_queue if node["queues"] else room), 0)))
    return found


def place_gates(facts: Facts, subject: Subject, seen: Around) -> list[Gate]:
    """Return the gates `node`, `queue`, `function`, `draining`, `risk`, `everywhere` and `slots`.

    Behind one that no node passes, the next of these are not asked.
    """
    able, working = _able(facts, subject)
    return [
        *able,
        _risk_gate(facts, subject, working),
        _everywhere_gate(facts, subject.queue),
        _slots_gate(facts, subject, seen, working),
    ]


def able_gates(facts: Facts, subject: Subject) -> list[Gate]:
    """Return those of these gates that tell whether any node could run it at all: the first four."""
    return _able(facts, subject)[0]


def _able(facts: Facts, subject: Subject) -> tuple[list[Gate], list[Node]]:
    living = [node for node in facts.nodes if node["alive"]]
    serving = [node for node in living if serves(node, subject.queue)]
    knowing = [node for node in serving if subject.function_key in node["functions"]]
    working = [node for node in knowing if node["draining_since"] is None]
    gates = [
        node_gate(facts),
        _queue_gate(subject, living, serving),
        _function_gate(subject, living, serving, knowing),
        _draining_gate(facts, knowing, working),
    ]
    return gates, working


def node_gate(facts: Facts) -> Gate:
    """Tell whether any node lives, and which was the last to fall silent where none does."""
    living = [node for node in facts.nodes if node["alive"]]
    silent = [node for node in facts.nodes if not node["alive"]]
    details = {"alive": [shown(node) for node in living], "silent": [shown(node) for node in silent]}
    if living:
        return passed("node", f"{count(len(living), 'node')} alive", details)
    text = "no node is alive"
    if silent:
        last = max(silent, key=lambda node: node["lease_until"] or node["started_at"])
        until = facts.words.at(last["lease_until"])
        text += f": the lease of {last['id']} on {_host(last)} is valid until {until}, but its process is gone"
        if last["lease_until"] is not None and last["lease_until"] <= facts.now:
            text = f"no node is alive: the lease of {last['id']} on {_host(last)} ran out at {until}"
    return closed("node", text, details)


def shown(node: Node) -> dict[str, Any]:
    """Return what identifies a node."""
    names = ("id", "pid", "started_at", "lease_until", "draining_since")
    return {"host": _host(node), **{name: node[name] for name in names}}


def _host(node: Node) -> str:
    return str(node["host"]).partition("/")[0]


def _queue_gate(subject: Subject, living: Sequence[Node], serving: Sequence[Node]) -> Gate:
    details = {"queue": subject.queue, "nodes": [node["id"] for node in serving]}
    if not living:
        return untold("queue", f"nobody is there to serve queue {subject.queue!r}", details)
    if serving:
        return passed("queue", f"{count(len(serving), 'node')} for queue {subject.queue!r}", details)
    served = named(sorted({name for node in living for name in node["queues"]}))
    return closed("queue", f"no living node serves queue {subject.queue!r}; they serve {served}", details)


def _function_gate(subject: Subject, living: Sequence[Node], serving: Sequence[Node], knowing: Sequence[Node]) -> Gate:
    details = {
        "function": subject.function_key,
        "nodes": [node["id"] for node in knowing],
        "functions": {node["id"]: len(node["functions"]) for node in living},
    }
    if not serving:
        return untold("function", "no node was asked for the function", details)
    if knowing:
        return passed("function", f"{count(len(knowing), 'node')} with {subject.function_key}", details)
    elsewhere = [node["id"] for node in living if subject.function_key in node["functions"]]
    but = f"; {named(elsewhere)} has it, but does not serve queue {subject.queue!r}" if elsewhere else ""
    who = "the living node does not have" if len(living) == 1 else f"none of {len(living)} living nodes has"
    text = f"{who} the function {subject.function_key}{but or '; its module may not be listed'}"
    return closed("function", text, details)


def _draining_gate(facts: Facts, knowing: Sequence[Node], working: Sequence[Node]) -> Gate:
    draining = [node for node in knowing if node["draining_since"] is not None]
    details = {"nodes": [shown(node) for node in draining]}
    if not knowing:
        return untold("draining", "no node was asked whether it drains", details)
    if working:
        told = (
            f"{count(len(draining), 'node')} draining, {len(working)} not"
            if draining
            else "none that could run it drains"
        )
        return passed("draining", told, details)
    by = named(f"{node['id']}{facts.words.since(node['draining_since'])}" for node in draining)
    return closed("draining", f"every node that could run it is draining: {by}", details)


def _risk_gate(facts: Facts, subject: Subject, working: Sequence[Node]) -> Gate:
    last_chance = facts.bounds.crash_limit - 1
    if last_chance < 1 or subject.crashes < last_chance or not working:
        return untold("risk", "it has not ended with its node so often that it must run alone")
    details = {"crashes": subject.crashes, "crash_limit": facts.bounds.crash_limit}
    if all(facts.most_crashes(node["id"]) >= last_chance for node in working):
        text = "it has its last chance before the crash limit, and every node runs another such execution"
        return closed("risk", text, details)
    return passed("risk", "it has its last chance before the crash limit, and a node is free of such", details)


def _everywhere_gate(facts: Facts, queue: str) -> Gate:
    """Tell of the limit over all nodes that leaves least room: that of all executions, or that of the queue."""
    limits: list[tuple[int, int, str, str | None]] = []
    if facts.bounds.everywhere is not None:
        limits.append((facts.running_everywhere, facts.bounds.everywhere, "", None))
    if queue in facts.limits:
        limits.append((facts.running_in(queue), facts.limits[queue], f" of queue {queue!r}", queue))
    if not limits:
        return untold("everywhere", "no limit over all nodes is set")
    running, most, of, name = min(limits, key=lambda limit: limit[1] - limit[0])
    text = f"{running} of {most} executions{of} run on all nodes together"
    return Gate("everywhere", running < most, text, {"running": running, "limit": most, "queue": name})


def _slots_gate(facts: Facts, subject: Subject, seen: Around, working: Sequence[Node]) -> Gate:
    if not working:
        return untold("slots", "no node was asked for a free slot")
    free = sum(places for _, places in free_slots(facts, subject))
    total = sum(capacity(node, subject.queue) for node in working)
    ids = {node["id"] for node in working}
    running = [
        {"execution_id": row.id, "task_name": row.name, "node_id": row.node_id, "start_time": row.start_time}
        for row in seen.running
        if row.node_id in ids
    ]
    details = {"slots": total, "free": free, "running": running}
    if free > 0:
        return passed("slots", f"{free} of {count(total, 'slot')} free", details)
    longest = max((facts.now - row["start_time"] for row in running if row["start_time"]), default=timedelta(0))
    taken = "the only slot is" if total == 1 else f"all {total} slots are"
    by = f", by {running[0]['task_name']} longest, for {span(longest)}" if running else ""
    return closed("slots", f"{taken} taken{by}", details)
