"""For authors of modules: a clock that a test moves instead of sleeping, and a database that fails when it is told to.

The scheduler's own part, an application whose tasks are carried out step by step, is `modules.core.scheduler.testing`.
"""

from framework.testing.fake_clock import START, FakeClock
from framework.testing.faults import Crashed, Faults
from framework.testing.statements import Seen, seen_by, watched

__all__ = ["Crashed", "FakeClock", "Faults", "START", "Seen", "seen_by", "watched"]
