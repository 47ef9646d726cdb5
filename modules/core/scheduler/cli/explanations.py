"""How commands print an explanation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.terminal import print_facts, print_json, say


def tell_explanation(told: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the verdict, and below it the gates, each with its mark."""
    from modules.core.scheduler.showing.explanations import explanation_facts

    if as_json:
        print_json(told)
        return
    say(f"{told['task_name']}: {told['verdict']}")
    say("")
    print_facts(explanation_facts(told))
