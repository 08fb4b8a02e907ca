"""Chance in a training run: everything random follows from (seed, stream, step), whatever ran before.

Which items a step takes, shared between processes, and what is kept of items once they are decoded.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from threading import Lock
from typing import Generic, Self, TypeVar

import numpy as np
import torch


class Stream(IntEnum):
    """Independent sources of chance within one seed."""

    PAIR_ORDER = 0
    PAIR_CROPS = 1
    SOURCE_ORDER = 2
    SOURCE_CROPS = 3
    PATCHES = 4
    NETWORK = 5
    VALIDATION = 6
    FACE_ORDER = 7
    FACE_CROPS = 8
    TEXTURES = 9


def derive_seed(seed: int, stream: Stream, step: int = 0) -> int:
    """A 63-bit seed for one use of chance, for generators that take one number (torch)."""
    return int(np.random.SeedSequence([seed, stream, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def draw_indices(count: int, batch: int, step: int, seed: int, stream: Stream) -> list[int]:
    """Which items the batch of a step takes: permutations of the set, one after the other, without end.

    Args:
        count: items in the set.
        batch: items a step.
        step: number of the step, from 0.
        seed: the run's seed.
        stream: which order.

    Returns:
        ``batch`` indices; over any ``count`` draws that start an epoch, each item comes exactly once.
    """
    indices = []
    for position in range(step * batch, (step + 1) * batch):
        epoch, place = divmod(position, count)
        indices.append(int(_permutation(count, seed, stream, epoch)[place]))
    return indices


@lru_cache(maxsize=8)
def _permutation(count: int, seed: int, stream: Stream, epoch: int) -> np.ndarray:
    """The order of an epoch; remembered, since a batch asks for it an item at a time."""
    return np.random.default_rng([seed, stream, epoch]).permutation(count)


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
