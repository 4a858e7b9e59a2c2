"""Telling those who keep an order of deployments that the numbers of one have changed."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Protocol
from weakref import ReferenceType, finalize, ref


class Subscriber(Protocol):
    """Who wants to know; told by the place that a deployment has among those it subscribed to."""

    def changed(self, place: int) -> None:
        """Note that the numbers of this one may be others now. It is called with a lock held, so it does nothing else."""


class Changes:
    """The subscribers of each deployment. They are held weakly: who is gone is told nothing more."""

    def __init__(self) -> None:
        self._lock = RLock()  # one that its own thread can take twice: garbage may be collected while it is held
        self._subscribers: dict[str, tuple[tuple[ReferenceType[Subscriber], int], ...]] = {}

    def subscribe(self, subscriber: Subscriber, deployments: Sequence[str]) -> None:
        """Tell `subscriber` of these deployments, by their ids, as long as somebody else holds it."""
        with self._lock:
            for place, deployment in enumerate(deployments):
                entry = (ref(subscriber), place)
                self._subscribers[deployment] = (*self._subscribers.get(deployment, ()), entry)
        finalize(subscriber, self._forget_dead, deployments).atexit = False

    def tell(self, deployment: str) -> None:
        """The numbers of this deployment have changed."""
        for reference, place in self._subscribers.get(deployment, ()):
            subscriber = reference()
            if subscriber is not None:
                subscriber.changed(place)

    def tell_all(self) -> None:
        """Those of all have."""
        for deployment in list(self._subscribers):
            self.tell(deployment)

    def _forget_dead(self, deployments: Sequence[str]) -> None:
        with self._lock:
            for deployment in deployments:
                alive = tuple(each for each in self._subscribers.get(deployment, ()) if each[0]() is not None)
                if alive:
                    self._subscribers[deployment] = alive
                else:
                    self._subscribers.pop(deployment, None)
