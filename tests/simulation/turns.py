"""Several actors, one at a time: threads that hand a baton on, in an order that a seed decides."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

STACK_BYTES = 512 * 1024
PATIENCE_S = 60  # real seconds: an actor that keeps the baton so long has hung


class Abandoned(BaseException):
    """The run is over: an actor has found a violation."""


class Turns:
    """Runs actors. Each goes on until it pauses; then the order says who is next.

    Args:
        order: decides who goes on, at every pause.
        switch: the chance that it is somebody else.
    """

    def __init__(self, order: Random, switch: float) -> None:
        self._order, self._switch = order, switch
        self._batons: dict[int, threading.Lock] = {}
        self._threads: list[threading.Thread] = []
        self._started, self.current = 0, -1
        self._over = threading.Event()
        self.failure: BaseException | None = None

    def spawn(self, work: Callable[[], None]) -> None:
        """Add an actor; it gets a turn when the order says so."""
        me, baton = self._started, threading.Lock()
        baton.acquire()
        self._started += 1
        self._batons[me] = baton
        before = threading.stack_size(STACK_BYTES)
        thread = threading.Thread(target=self._act, args=(me, baton, work), daemon=True)
        self._threads.append(thread)
        thread.start()
        threading.stack_size(before)

    def run(self) -> None:
        """Give turns until no actor is left.

        Raises:
            BaseException: what an actor raised.
        """
        if self._batons:
            self._over.clear()
            self._pass_on()
            if not self._over.wait(PATIENCE_S):
                raise RuntimeError("an actor hangs")
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._threads.clear()
        if self.failure is not None:
            raise self.failure

    def pause(self, *, surely: bool = False) -> None:
        """Let others go on, perhaps or surely. Called by the actor whose turn it is."""
        if self.failure is not None:
            raise Abandoned
        me = self.current
        if len(self._batons) == 1 or not (surely or self._order.random() < self._switch):
            return
        baton = self._batons[me]
        self._pass_on()
        baton.acquire()
        if self.failure is not None:
            raise Abandoned

    @property
    def is_alone(self) -> bool:
        """Whether no other actor is left."""
        return len(self._batons) == 1

    def _act(self, me: int, baton: threading.Lock, work: Callable[[], None]) -> None:
        baton.acquire()
        try:
            if self.failure is None:
                work()
        except Abandoned:
            pass
        except BaseException as failure:  # noqa: BLE001  raised again by run
            self.failure = self.failure or failure
        del self._batons[me]
        if self._batons:
            self._pass_on()
        else:
            self._over.set()

    def _pass_on(self) -> None:
        names = list(self._batons)
        self.current = names[self._order.randrange(len(names))] if len(names) > 1 else names[0]
        self._batons[self.current].release()
