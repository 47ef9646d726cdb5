"""For authors of modules: an application whose clock the test moves, and whose tasks run when the test says so."""

from framework.testing import FakeClock
from modules.core.scheduler.testing.kit import TestApplication

__all__ = ["FakeClock", "TestApplication"]
