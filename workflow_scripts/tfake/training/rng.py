"""Everything random in a training run follows from (seed, stream, step), whatever ran before or runs beside it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np


class RngStream(IntEnum):
    """Independent random streams within one seed."""

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
    REAL_ORDER = 10
    REAL_CROPS = 11
    SCENES = 12
    HELD_OUT_SCENES = 13
    OTHER_ORDER = 14
    OTHER_CROPS = 15
    UNLABELLED_ORDER = 16
    UNLABELLED_VIEWS = 17
    FOLDER_ORDER = 18
    FOLDER_VIEWS = 19
    LABELS = 20
    FLOW = 31
    SOURCE_FLOW = 32
    VALIDATION_FLOW = 33
    SAMPLING = 34


def derive_seed(seed: int, stream: RngStream, step: int = 0) -> int:
    """A 63-bit seed of one step of one stream, for generators that take one number (torch)."""
    return int(np.random.SeedSequence([seed, stream, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def draw_noise(seed: int, image_id: str, shape: tuple[int, ...]) -> np.ndarray:
    """The noise that an image's sample begins with: float32 of a shape, of (seed, image id) alone."""
    image = int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, image, RngStream.SAMPLING]).standard_normal(shape, np.float32)


def draw_indices(count: int, batch: int, step: int, seed: int, stream: RngStream) -> list[int]:
    """Indices of a step's ``batch`` items out of ``count``: shuffled epochs, one after the other, without end."""
    indices = []
    for position in range(step * batch, (step + 1) * batch):
        epoch, place = divmod(position, count)
        indices.append(int(_permutation(count, seed, stream, epoch)[place]))
    return indices


@lru_cache(maxsize=8)
def _permutation(count: int, seed: int, stream: RngStream, epoch: int) -> np.ndarray:
    """The order of an epoch; remembered, since a batch asks for it an item at a time."""
    return np.random.default_rng([seed, stream, epoch]).permutation(count)


@dataclass(frozen=True)
class ProcessShard:
    """The items of every batch that one of several processes makes: each ``world_size``-th, from ``rank`` on."""

    rank: int = 0
    world_size: int = 1


SINGLE_PROCESS = ProcessShard()


@dataclass(frozen=True)
class BatchSampler:
    """The items of a step that this process makes, each with a random generator of its own."""

    count: int
    batch: int
    seed: int
    shard: ProcessShard
    order: RngStream
    crops: RngStream

    def __call__(self, step: int) -> Iterator[tuple[int, np.random.Generator]]:
        """Index and generator of each item."""
        indices = draw_indices(self.count, self.batch, step, self.seed, self.order)
        for place in range(self.shard.rank, self.batch, self.shard.world_size):
            yield indices[place], np.random.default_rng([self.seed, self.crops, step, place])


class BatchPart(NamedTuple):
    """The items of one kind in every batch.

    Attributes:
        count: how many there are to draw from.
        batch: how many of a batch are theirs.
        order: the stream of their order.
        crops: the stream of their own generators.
    """

    count: int
    batch: int
    order: RngStream
    crops: RngStream


def sample_parts(parts: Sequence[BatchPart], seed: int, shard: ProcessShard) -> list[BatchSampler]:
    """A sampler of each part of a batch.

    Parts lie behind one another in the batch, and a process makes each ``world_size``-th item of the whole: as many as
    any other one makes, where a share of each part's own would leave some with more, and gradients are averaged.
    """
    samplers, before = [], 0
    for part in parts:
        own = replace(shard, rank=(shard.rank - before) % shard.world_size)
        samplers.append(BatchSampler(part.count, part.batch, seed, own, part.order, part.crops))
        before += part.batch
    return samplers
