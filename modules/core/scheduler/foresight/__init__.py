"""What lies ahead: read from tasks, played on the slots, supposed otherwise, warned of."""

from modules.core.scheduler.foresight.foreseeing import Foresight

__all__ = ["Foresight"]
