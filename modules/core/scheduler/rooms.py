"""How much this node can take on before each turn, and when it last had no room: for that, some have waited."""

from __future__ import annotations

from modules.core.scheduler.claims import MOMENT, Room, Stretch
from modules.core.scheduler.crew import Crew
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.turn import Turned, Work

FEW, MANY = 64, 256  # rows of one look: after a rest, so that the first starts soon; and while there is work


class Rooms:
    """Counts the turns of one node, and remembers of each queue when it was full, now and for a while before, of what.

    A stretch goes on from turn to turn; one that was over within a moment is forgotten.
    """

    def __init__(self) -> None:
        self._turns = 0
        self._batch = FEW
        self._now: dict[str | None, Stretch] = {}
        self._before: dict[str | None, Stretch] = {}

    def room(self, settings: SchedulerSettings, crew: Crew, *, stopping: bool) -> Room:
        """Return how much the node can take on: in all, and of each queue where the settings name queues."""
        self._turns += 1
        free = 0 if stopping else settings.max_concurrent_tasks - len(crew)
        queues = {name: slots - crew.running_of(name) for name, slots in settings.queues.items()}
        full = [*self._before.items(), *self._now.items()]
        return Room(free, queues or None, self._turns, full, self._batch)

    def turned(self, turned: Turned, _work: Work) -> None:
        """Remember in which queues (None: in all) a turn could leave somebody in line, and for want of what."""
        self._batch = MANY if turned.did_anything else FEW
        for queue in self._now.keys() - turned.full.keys():
            stretch = self._now.pop(queue)
            if turned.moment - stretch.since >= MOMENT:
                self._before[queue] = stretch
        for queue, why in turned.full.items():
            known = self._now.get(queue)
            self._now[queue] = Stretch(known.since if known else turned.moment, turned.moment, why.value)
