"""Which items a step takes, shared between processes, and what is kept of items once they are decoded."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Self, TypeVar

import numpy as np
import torch

from tfake.training.chance import Stream, draw_indices

#: Decoded images of one set are kept in memory up to this; beyond it they are decoded each time they are drawn.
CACHE_BYTES = 3 << 29

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class Cache(Generic[Key, Item]):
    """Remembers prepared items until the budget is full; may be used from several threads."""

    def __init__(self, prepare: Callable[[Key], Item], budget_bytes: int) -> None:
        """Keep how an item is prepared from its key, and how many bytes may be kept."""
        self._prepare = prepare
        self._left = budget_bytes
        self._items: dict[Key, Item] = {}
        self._lock = Lock()
        #: Whether there was no room for an item.
        self.is_full = False

    def __getitem__(self, key: Key) -> Item:
        """The prepared item of a key; two threads that want it for the first time may both prepare it."""
        item = self._items.get(key)
        if item is None:
            item = self._prepare(key)
            with self._lock:
                if key not in self._items and item.nbytes <= self._left:
                    self._left -= item.nbytes
                    self._items[key] = item
                elif item.nbytes > self._left:
                    self.is_full = True
        return item


@dataclass(frozen=True)
class Share:
    """Which crops of every batch one of several processes makes: each ``of``-th, from ``rank`` on."""

    rank: int = 0
    of: int = 1


ALONE = Share()


@dataclass(frozen=True)
class Drawing:
    """The items of a step that fall to this process, each with its own source of chance."""

    count: int
    batch: int
    seed: int
    share: Share
    order: Stream
    crops: Stream

    def __call__(self, step: int) -> Iterator[tuple[int, np.random.Generator]]:
        """Index and source of chance of each item."""
        indices = draw_indices(self.count, self.batch, step, self.seed, self.order)
        for place in range(self.share.rank, self.batch, self.share.of):
            yield indices[place], np.random.default_rng([self.seed, self.crops, step, place])


def move_batch(batch, device: torch.device):
    """A dataclass of tensors, each on a device."""
    return type(batch)(**{name: value.to(device, non_blocking=True) for name, value in vars(batch).items()})


class Batch:
    """What a dataclass of tensors, the crops of a step, has in common with others."""

    def to(self, device: torch.device) -> Self:
        """The batch on a device."""
        return move_batch(self, device)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return sum(value.nbytes for value in vars(self).values())
