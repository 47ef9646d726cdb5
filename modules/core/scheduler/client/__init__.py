"""The scheduler from afar: the methods of the service, asked of a server over HTTP."""

from modules.core.scheduler.client.remote import SchedulerClient
from modules.core.scheduler.client.wire import Unreachable

__all__ = ["SchedulerClient", "Unreachable"]
