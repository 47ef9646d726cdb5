"""What happens right now, for those who watch: log lines of executions."""

from modules.core.scheduler.live.live import Live

__all__ = ["Live"]
