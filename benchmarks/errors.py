"""Why there are no figures."""

from __future__ import annotations


class BrokenError(Exception):
    """A measure that did not do its work; its figures would mean nothing."""


class SkippedError(Exception):
    """A measure that this peer, or this machine, cannot take part in; nothing is broken."""


class NoEnvironmentError(Exception):
    """A peer that cannot be installed here; the measures go on without it."""
