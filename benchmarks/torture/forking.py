"""How processes are made: forked from one that has imported everything, so that hundreds can die in a minute."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext


def forking() -> ForkServerContext:
    """Return what makes processes; the first one starts the process from which all are forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.torture.worker", "benchmarks.torture.warm"])
    return context
