"""Occurrences by hand: the next left out or moved, an end, the past made up for."""

from modules.core.scheduler.occurrences.by_hand import Occurrences

__all__ = ["Occurrences"]
