"""What happens right now, for those who watch: events of all nodes, and log lines of executions."""

from modules.core.scheduler.live.live import Live
from modules.core.scheduler.live.live_event import Kind, LiveEvent
from modules.core.scheduler.live.viewer import Viewer

__all__ = ["Kind", "Live", "LiveEvent", "Viewer"]
