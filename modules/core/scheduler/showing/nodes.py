"""How nodes and queues, given as the plain dicts of the services, read on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from framework.terminal import PROGRAM, span

Shown = Mapping[str, Any]

NODE_COLUMNS = ("ID", "HOST", "PID", "VERSION", "ALIVE", "DRAINING", "RUNNING", "SLOTS", "QUEUES", "FUNCTIONS", "LEASE")
QUEUE_COLUMNS = ("QUEUE", "READY", "LATER", "HELD", "RUNNING", "NODES", "PAUSED", "REASON")
NODE_FIT = {"spare": ("LEASE", "FUNCTIONS", "PID", "QUEUES", "SLOTS", "VERSION", "HOST"), "elastic": ("HOST",)}
QUEUE_FIT = {"spare": (), "elastic": ("QUEUE", "PAUSED", "REASON")}
MARK = " !!"


def node_rows(nodes: Iterable[Shown], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `NODE_COLUMNS` for each node."""
    return [_node_row(node, now) for node in nodes]


def _node_row(node: Shown, now: datetime) -> tuple[str, ...]:
    lease = node["lease_until"]
    return (
        node["id"],
        node["host"].partition("/")[0],  # behind it stand boot and namespace
        str(node["pid"]),
        (node["version"] or "-") + (MARK if node["version_differs"] else ""),
        "yes" if node["alive"] else "no" + MARK,
        "-" if node["draining_since"] is None else f"for {span(now - node['draining_since'])}",
        str(node["running"]),
        "-" if node["slots"] is None else str(node["slots"]),
        ", ".join(f"{name} {slots}" for name, slots in node["queues"].items()) or "all",
        str(len(node["functions"])),
        "-" if lease is None else span(lease - now),
    )


def nodes_verdict(nodes: Sequence[Shown]) -> str:
    """Return how many nodes live, and what is odd about them."""
    if not nodes:
        return f"no nodes: start `{PROGRAM} run`"
    living = sum(node["alive"] for node in nodes)
    told = [f"{_count(len(nodes), 'node')}, {living} alive"]
    if any(node["version_differs"] for node in nodes):
        told.append("their versions differ")
    if draining := sum(node["draining_since"] is not None for node in nodes):
        told.append(f"{draining} draining")
    return ", ".join(told)


def drained(node: Shown) -> str:
    """Return what has come of the wish to drain a node, or to undo it."""
    if node["draining_since"] is None:
        return f"node {node['id']} claims again"
    if not node["running"]:
        return f"node {node['id']} is drained: it runs nothing and begins nothing"
    return f"node {node['id']} drains: it begins nothing, and still runs {_count(node['running'], 'execution')}"


def queue_rows(queues: Iterable[Shown], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `QUEUE_COLUMNS` for each queue."""
    return [
        (
            queue["name"],
            *(str(queue[name]) + ("+" if queue["is_cut"] else "") for name in ("ready", "later", "held")),
            str(queue["running"]) + ("" if queue["limit"] is None else f"/{queue['limit']}"),
            str(queue["nodes"]) + ("" if queue["nodes"] else MARK),
            "-" if queue["paused_since"] is None else f"for {span(now - queue['paused_since'])}{MARK}",
            queue["reason"] or "-",
        )
        for queue in queues
    ]


def queues_verdict(queues: Sequence[Shown]) -> str:
    """Return how many queues there are, and which of them are held up."""
    told = [_count(len(queues), "queue")]
    if paused := [queue["name"] for queue in queues if queue["paused_since"] is not None]:
        told.append(f"{len(paused)} paused: {PROGRAM} queues resume {paused[0]}")
    return ", ".join(told)


def queue_told(queue: Shown) -> str:
    """Return in one line whether a queue is paused, and what is in it."""
    state = "goes on" if queue["paused_since"] is None else "is paused"
    waiting = queue["ready"] + queue["later"] + queue["held"]
    return (
        f"queue {queue['name']} {state}: {waiting}{'+' if queue['is_cut'] else ''} waiting, {queue['running']} running"
        + ("" if queue["limit"] is None else f", at most {queue['limit']} at once on all nodes")
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
