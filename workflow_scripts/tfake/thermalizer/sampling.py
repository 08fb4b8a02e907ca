"""Training batches without end, each a function of (seed, step) alone.

Every epoch has its own permutation, so a set never runs dry, however many steps are asked for; and since no state is
carried from batch to batch, a run that starts at step n sees what an uninterrupted one saw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from tfake.classes import FaceClass
from tfake.sources.pairs import Pair
from tfake.sources.thermal_foreground import estimate_foreground
from tfake.thermalizer.augmentation import augment_rgb
from tfake.thermalizer.crops import CropSettings, build_pyramid, draw_crop, warp_linear, warp_nearest
from tfake.thermalizer.foreground import fill_glasses, mask_background

#: Decoded images of one set are kept in memory up to this; beyond it they are decoded each time they are drawn.
CACHE_BYTES = 2 << 30

Item = TypeVar("Item")


class Stream(IntEnum):
    """Independent sources of chance within one seed."""

    PAIR_ORDER = 0
    PAIR_CROPS = 1
    SOURCE_ORDER = 2
    SOURCE_CROPS = 3
    PATCHES = 4
    NETWORK = 5


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
        indices.append(int(np.random.default_rng([seed, stream, epoch]).permutation(count)[place]))
    return indices


@dataclass(frozen=True)
class PairBatch:
    """Crops of paired images."""

    rgb: Tensor  # (B, 3, P, P) uint8
    thermal: Tensor  # (B, 1, P, P) float32: degrees Celsius, or relative values
    mask: Tensor  # (B, 1, P, P) bool: where the supervised term counts
    foreground: Tensor  # (B, 1, P, P) bool: where Wasserstein patches come from
    classes: Tensor  # (B, P, P) uint8, lenses labelled GLASSES; IGNORE throughout a pair without a class map


@dataclass(frozen=True)
class SourceBatch:
    """Crops of source images, background removed, lenses labelled GLASSES."""

    rgb: Tensor  # (B, 3, P, P) uint8
    classes: Tensor  # (B, P, P) uint8

    @property
    def foreground(self) -> Tensor:
        """(B, 1, P, P) bool: neither BACKGROUND nor IGNORE."""
        return ((self.classes != FaceClass.BACKGROUND) & (self.classes != FaceClass.IGNORE))[:, None]


@dataclass(frozen=True)
class _PreparedPair:
    rgb: tuple[np.ndarray, ...]
    thermal: tuple[np.ndarray, ...]
    classes: np.ndarray | None
    filled: np.ndarray | None
    foreground: np.ndarray

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in (*self.rgb, *self.thermal)) + 2 * self.foreground.nbytes


@dataclass(frozen=True)
class _PreparedSource:
    rgb: tuple[np.ndarray, ...]
    classes: np.ndarray
    filled: np.ndarray

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self.rgb) + 2 * self.classes.nbytes


class _Cache(Generic[Item]):
    """Remembers prepared items until the budget is full."""

    def __init__(self, prepare: Callable[[int], Item], budget_bytes: int) -> None:
        self._prepare = prepare
        self._left = budget_bytes
        self._items: dict[int, Item] = {}

    def __getitem__(self, index: int) -> Item:
        if index not in self._items:
            item = self._prepare(index)
            if item.nbytes > self._left:
                return item
            self._left -= item.nbytes
            self._items[index] = item
        return self._items[index]


class PairSampler:
    """Batches of crops from a paired set."""

    def __init__(
        self, pairs: Sequence[Pair], crop: CropSettings, batch: int, seed: int, cache_bytes: int = CACHE_BYTES
    ) -> None:
        """Keep the set.

        Args:
            pairs: the pairs.
            crop: limits of the crops.
            batch: crops a step.
            seed: the run's seed.
            cache_bytes: memory for decoded pairs.

        Raises:
            ValueError: the set is empty.
        """
        if not len(pairs):
            raise ValueError("the paired set is empty")
        self._count, self._crop, self._batch, self._seed = len(pairs), crop, batch, seed
        self._items = _Cache(lambda index: _prepare_pair(pairs[index]), cache_bytes)

    def batch(self, step: int) -> PairBatch:
        """Draw the crops of a step."""
        rng = np.random.default_rng([self._seed, Stream.PAIR_CROPS, step])
        crops = [
            _crop_pair(self._items[index], rng, self._crop)
            for index in draw_indices(self._count, self._batch, step, self._seed, Stream.PAIR_ORDER)
        ]
        rgb, thermal, mask, foreground, classes = (np.stack(parts) for parts in zip(*crops, strict=True))
        return PairBatch(
            _channels_first(rgb),
            torch.from_numpy(thermal)[:, None],
            torch.from_numpy(mask)[:, None],
            torch.from_numpy(foreground)[:, None],
            torch.from_numpy(classes),
        )


class SourceSampler:
    """Batches of crops from the source images."""

    def __init__(
        self,
        sources: Sequence[tuple[np.ndarray, np.ndarray]],
        crop: CropSettings,
        batch: int,
        seed: int,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Keep the set.

        Args:
            sources: (rgb (H, W, 3) uint8, classes (H, W) uint8) by index.
            crop: limits of the crops.
            batch: crops a step.
            seed: the run's seed.
            cache_bytes: memory for decoded images.

        Raises:
            ValueError: the set is empty.
        """
        if not len(sources):
            raise ValueError("there are no source images")
        self._count, self._crop, self._batch, self._seed = len(sources), crop, batch, seed
        self._items = _Cache(lambda index: _prepare_source(*sources[index]), cache_bytes)

    def batch(self, step: int) -> SourceBatch:
        """Draw the crops of a step."""
        rng = np.random.default_rng([self._seed, Stream.SOURCE_CROPS, step])
        crops = [
            _crop_source(self._items[index], rng, self._crop)
            for index in draw_indices(self._count, self._batch, step, self._seed, Stream.SOURCE_ORDER)
        ]
        rgb, classes = (np.stack(parts) for parts in zip(*crops, strict=True))
        return SourceBatch(_channels_first(rgb), torch.from_numpy(classes))


def _prepare_pair(pair: Pair) -> _PreparedPair:
    if pair.classes is None:
        rgb, foreground = pair.rgb, estimate_foreground(pair.thermal)
    else:
        rgb = mask_background(pair.rgb, pair.classes)
        foreground = (pair.classes != FaceClass.BACKGROUND) & (pair.classes != FaceClass.IGNORE)
    filled = None if pair.classes is None else fill_glasses(pair.classes)
    return _PreparedPair(build_pyramid(rgb), build_pyramid(pair.thermal), pair.classes, filled, foreground)


def _prepare_source(rgb: np.ndarray, classes: np.ndarray) -> _PreparedSource:
    return _PreparedSource(build_pyramid(mask_background(rgb, classes)), classes, fill_glasses(classes))


def _crop_pair(pair: _PreparedPair, rng: np.random.Generator, crop: CropSettings) -> tuple[np.ndarray, ...]:
    matrix = draw_crop(rng, pair.foreground, crop)
    rgb = augment_rgb(warp_linear(pair.rgb, matrix, crop.pixels), rng, crop.photometric_strength)
    thermal = warp_linear(pair.thermal, matrix, crop.pixels)
    foreground = warp_nearest(pair.foreground.astype(np.uint8), matrix, crop.pixels).astype(bool)
    if pair.classes is None:
        # Beyond the image is background; within it, nobody knows: everything counts.
        inside = warp_nearest(np.ones(pair.foreground.shape, np.uint8), matrix, crop.pixels)
        unknown = np.full_like(inside, FaceClass.IGNORE)
        return mask_background(rgb, inside), thermal, inside.astype(bool), foreground, unknown
    rgb = mask_background(rgb, warp_nearest(pair.classes, matrix, crop.pixels))
    classes = warp_nearest(pair.filled, matrix, crop.pixels)
    return rgb, thermal, foreground, foreground, classes


def _crop_source(source: _PreparedSource, rng: np.random.Generator, crop: CropSettings) -> tuple[np.ndarray, ...]:
    matrix = draw_crop(rng, source.classes != FaceClass.BACKGROUND, crop)
    rgb = augment_rgb(warp_linear(source.rgb, matrix, crop.pixels), rng, crop.photometric_strength)
    rgb = mask_background(rgb, warp_nearest(source.classes, matrix, crop.pixels))
    return rgb, warp_nearest(source.filled, matrix, crop.pixels)


def _channels_first(rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(rgb).permute(0, 3, 1, 2)
