"""The commands `chamberlain nodes …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import complain, print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

node_commands = typer.Typer(help="Which processes carry out executions.", no_args_is_help=True)


@node_commands.command("list")
def list_nodes(as_json: AsJson = False) -> None:
    """List the nodes, oldest first; `!!` marks one that is dead, or whose version is not that of the others."""
    from modules.core.scheduler.showing.nodes import NODE_COLUMNS, NODE_FIT, node_rows, nodes_verdict

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        nodes = (await scheduler.list_nodes()).unwrap()
        if as_json:
            print_json({"nodes": nodes})
            return
        if nodes:
            print_table(NODE_COLUMNS, node_rows(nodes, clock.now()), ids=[each["id"] for each in nodes], **NODE_FIT)
        say(nodes_verdict(nodes))

    with_scheduler(look)


@node_commands.command("drain")
def drain_node(
    node: Annotated[str, typer.Argument(metavar="NODE", help="The node's id.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let it begin executions again.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it runs nothing any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a node finish what it runs and begin nothing more; other nodes take over."""
    from modules.core.scheduler.asking import wait_until_drained
    from modules.core.scheduler.showing.nodes import drained

    if undo and wait:
        raise typer.BadParameter("--wait is for a node that drains; leave it out with --undo")

    async def ask(scheduler: Scheduler, clock: Clock) -> None:
        shown = (await scheduler.drain_node(node, undo=undo)).unwrap()
        if wait:
            shown = (await wait_until_drained(scheduler, clock, shown, complain)).unwrap()
        if as_json:
            print_json(shown)
        else:
            say(drained(shown))

    with_scheduler(ask)
