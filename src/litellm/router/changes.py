"""Notifies rankings when the numbers of a deployment have changed."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Protocol
from weakref import ReferenceType, finalize, ref


class Subscriber(Protocol):
    """Notified by the index that a deployment has among those it subscribed to."""

    def changed(self, place: int) -> None:
        """Note that the numbers of this one may be others now. It is called with a lock held, so it does nothing else."""


class Changes:
    """The subscribers of each deployment. They are held weakly."""

    def __init__(self) -> None:
        self._lock = RLock()  # one that its own thread can take twice: garbage may be collected while it is held
        self._subscribers: dict[str, tuple[tuple[ReferenceType[Subscriber], int], ...]] = {}

    def subscribe(self, subscriber: Subscriber, deployments: Sequence[str]) -> None:
        """Notify `subscriber` of these deployments, by their ids, as long as it is referred to elsewhere."""
        with self._lock:
            for place, deployment in enumerate(deployments):
                entry = (ref(subscriber), place)
                self._subscribers[deployment] = (*self._subscribers.get(deployment, ()), entry)
        finalize(subscriber, self._forget_dead, deployments).atexit = False

    def notify(self, deployment: str) -> None:
        """The numbers of this deployment have changed."""
        for reference, place in self._subscribers.get(deployment, ()):
            subscriber = reference()
            if subscriber is not None:
                subscriber.changed(place)

    def notify_all(self) -> None:
        """Those of all have."""
        for deployment in list(self._subscribers):
            self.notify(deployment)

    def _forget_dead(self, deployments: Sequence[str]) -> None:
        with self._lock:
            for deployment in deployments:
                alive = tuple(each for each in self._subscribers.get(deployment, ()) if each[0]() is not None)
                if alive:
                    self._subscribers[deployment] = alive
                else:
                    self._subscribers.pop(deployment, None)
