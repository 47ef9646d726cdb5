"""The commands of access; imported without the package that it stands in, and by every command."""

from __future__ import annotations

commands = {
    "tokens": ("modules.core.access.cli.tokens:token_commands", "Who may come in over HTTP, and what they may do."),
}
