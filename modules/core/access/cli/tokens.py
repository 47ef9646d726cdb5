"""The commands `chamberlain tokens …`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import complain, moment_text, print_json, print_table, say

if TYPE_CHECKING:
    from modules.core.access import AccessService

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

token_commands = typer.Typer(help="Who may come in over HTTP, and what they may do.", no_args_is_help=True)


@token_commands.command("create")
def create_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="By which people and the audit know it.")],
    scope: Annotated[list[str], typer.Option(help="read, operate, schedule or admin; may be given several times.")],
    expires: Annotated[str | None, typer.Option(help="How long it holds, such as 90d; by default for ever.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once: it is stored nowhere."""

    async def ask(access: AccessService) -> None:
        made = (await access.create(name, scope, expires)).unwrap()
        if as_json:
            print_json(made)
            return
        say(made["token"])
        complain(f"this is the only time that the token {name} is shown; keep it where no one else can read it")

    _with_access(ask)


@token_commands.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens, also those that are expired or revoked; never a secret."""

    async def look(access: AccessService) -> None:
        listed = (await access.list()).unwrap()
        if as_json:
            print_json({"tokens": listed})
        elif listed:
            print_table(("ID", "NAME", "STATE", "SCOPES", "LAST USED", "EXPIRES", "MADE BY"), map(_row, listed))
        else:
            say("there are no tokens; chamberlain tokens create NAME --scope read makes one")

    _with_access(look)


@token_commands.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its name or its id.")], as_json: AsJson = False
) -> None:
    """End a token; a running server lets it in no more within two seconds."""

    async def ask(access: AccessService) -> None:
        revoked = (await access.revoke(token)).unwrap()
        if as_json:
            print_json(revoked)
        else:
            say(f"token {revoked['name']} ({revoked['id']}) is revoked since {moment_text(revoked['revoked_at'])}")

    _with_access(ask)


def _row(token: dict[str, Any]) -> tuple[str, ...]:
    used, expires = moment_text(token["last_used_at"]), moment_text(token["expires_at"])
    scopes = " ".join(token["scopes"])
    return (token["id"], token["name"], token["state"], scopes, used, expires, token["created_by"])


def _with_access(work: Callable[[AccessService], Awaitable[None]]) -> None:
    """Do the work on the database of the application, with the module that keeps the audit; no module starts."""
    from framework.application import Application
    from modules.core.access import AccessService

    async def opened() -> None:
        async with Application().open() as app_context:
            await work(app_context.get_service(AccessService))

    asyncio.run(opened())
