"""What a thermalizer learns from, and the batches of a step: crops of pairs and sources, and what the terms draw.

Every crop is a function of (seed, step, place in the batch) alone. No state is carried from batch to batch, so a run
that resumes at step n sees what an uninterrupted one saw, batches can be made ahead and out of order, and of several
processes each makes its own part of a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tfake.archive.pairs import Pair
from tfake.core.classes import FaceClass
from tfake.heat.face_heat import unknown_field
from tfake.imaging.augmentation import augment_rgb
from tfake.imaging.crops import CropSettings, build_pyramid, draw_crop, warp_linear, warp_nearest
from tfake.imaging.foreground import estimate_foreground, fill_glasses, mask_background
from tfake.thermalizer.face_fields import FaceSurface, FieldCrop, draw_person, mean_field
from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.prior_table import Prior, PriorTable
from tfake.training.loading import CACHE_BYTES, MemoryCache, TensorBatch
from tfake.training.rng import SINGLE_PROCESS, BatchSampler, ProcessShard, RngStream, derive_seed


@dataclass(frozen=True)
class PairBatch(TensorBatch):
    """Crops of paired images."""

    rgb: Tensor  # (B, 3, P, P) uint8
    thermal: Tensor  # (B, 1, P, P) float32: degrees Celsius, or relative values
    mask: Tensor  # (B, 1, P, P) bool: where the supervised term counts
    foreground: Tensor  # (B, 1, P, P) bool: where Wasserstein patches come from
    classes: Tensor  # (B, P, P) uint8, lenses labelled GLASSES; IGNORE throughout a pair without a class map
    ambient_celsius: Tensor  # (B,) float32, that the pair was recorded in
    field: Tensor  # (B, 1, P, P) float32 heat field in degrees Celsius; NaN throughout a pair without one


@dataclass(frozen=True)
class SourceBatch(TensorBatch):
    """Crops of source images, background removed, lenses labelled GLASSES."""

    rgb: Tensor  # (B, 3, P, P) uint8
    classes: Tensor  # (B, P, P) uint8
    ambient_celsius: Tensor  # (B,) float32, that it shall be thermalized for
    dropped: Tensor  # (B,) bool: the network shall do without the class map
    field: Tensor  # (B, 1, P, P) float32 heat field in degrees Celsius; NaN throughout where the network sees none
    spread_kelvin: Tensor  # (B, 1, P, P) float32 standard deviation of the field between people
    pixels_per_cm: Tensor  # (B,) float32 scale at the face; 1 where there is no field

    @property
    def known_classes(self) -> Tensor:
        """(B, P, P) uint8, what the network may see: IGNORE throughout a dropped map."""
        return self.classes.masked_fill(self.dropped[:, None, None], int(FaceClass.IGNORE))

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
    ambient_celsius: float | None
    known: np.ndarray | None
    field: tuple[np.ndarray, ...] | None

    @property
    def nbytes(self) -> int:
        levels = (*self.rgb, *self.thermal, *(self.field or ()))
        return sum(level.nbytes for level in levels) + 2 * self.foreground.nbytes


@dataclass(frozen=True)
class _PreparedSource:
    rgb: tuple[np.ndarray, ...]
    classes: np.ndarray
    filled: np.ndarray
    surface: FaceSurface | None

    @property
    def nbytes(self) -> int:
        surface = 0 if self.surface is None else self.surface.nbytes
        return sum(level.nbytes for level in self.rgb) + 2 * self.classes.nbytes + surface


class PairSampler:
    """Batches of crops from a paired set."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        crop: CropSettings,
        batch: int,
        seed: int,
        ambient_celsius: float,
        shard: ProcessShard = SINGLE_PROCESS,
        with_field: bool = False,
        field_dropout: float = 0.0,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Keep the set.

        Args:
            pairs: the pairs.
            crop: limits of the crops.
            batch: crops per step, over all processes.
            seed: the run's seed.
            ambient_celsius: the ambient of pairs without one of their own.
            shard: which crops of a batch are made here.
            with_field: whether pairs with points and a class map have the heat field of the mean person.
            field_dropout: fraction of those crops that the network sees without it.
            cache_bytes: memory for decoded pairs.

        Raises:
            ValueError: the set is empty.
        """
        if not len(pairs):
            raise ValueError("the paired set is empty")
        self._draw = BatchSampler(len(pairs), batch, seed, shard, RngStream.PAIR_ORDER, RngStream.PAIR_CROPS)
        self._crop, self._ambient, self._field_dropout = crop, ambient_celsius, field_dropout
        self._items = MemoryCache(lambda index: _prepare_pair(pairs[index], ambient_celsius, with_field), cache_bytes)

    def batch(self, step: int) -> PairBatch:
        """Draw the crops of a step."""
        crops, ambients = [], []
        for index, rng in self._draw(step):
            item = self._items[index]
            crops.append(_crop_pair(item, rng, self._crop, self._field_dropout))
            ambients.append(self._ambient if item.ambient_celsius is None else item.ambient_celsius)
        rgb, thermal, mask, foreground, classes, field = (np.stack(parts) for parts in zip(*crops, strict=True))
        return PairBatch(
            _channels_first(rgb),
            torch.from_numpy(thermal)[:, None],
            torch.from_numpy(mask)[:, None],
            torch.from_numpy(foreground)[:, None],
            torch.from_numpy(classes),
            torch.tensor(ambients, dtype=torch.float32),
            torch.from_numpy(field)[:, None],
        )


class SourceSampler:
    """Batches of crops from the source images."""

    def __init__(
        self,
        sources: Sequence[tuple[np.ndarray, np.ndarray]],
        crop: CropSettings,
        batch: int,
        seed: int,
        ambient_celsius: tuple[float, float],
        shard: ProcessShard = SINGLE_PROCESS,
        class_dropout: float = 0.0,
        meshes: Sequence[np.ndarray | None] | None = None,
        field_dropout: float = 0.0,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Keep the set; arguments that are not listed are as of ``PairSampler``.

        Args:
            sources: (rgb (H, W, 3) uint8, classes (H, W) uint8) by index.
            ambient_celsius: lowest and highest ambient temperature; each crop gets one between them.
            class_dropout: fraction of the crops that the network sees without their class map.
            meshes: (478, 3) points by index, None where there are none; without any, no crop has a heat field.
            field_dropout: fraction of the crops that the network sees without their heat field.

        Raises:
            ValueError: the set is empty.
        """
        if not len(sources):
            raise ValueError("there are no source images")
        self._draw = BatchSampler(len(sources), batch, seed, shard, RngStream.SOURCE_ORDER, RngStream.SOURCE_CROPS)
        self._crop, self._ambients = crop, ambient_celsius
        self._class_dropout, self._field_dropout = class_dropout, field_dropout

        def prepare(index: int) -> _PreparedSource:
            return _prepare_source(*sources[index], None if meshes is None else meshes[index], crop.pixels)

        self._items = MemoryCache(prepare, cache_bytes)

    def batch(self, step: int) -> SourceBatch:
        """Draw the crops of a step."""
        images, ambients, dropped, fields = [], [], [], []
        for index, rng in self._draw(step):
            source = self._items[index]
            matrix, *crop = _crop_source(source, rng, self._crop)
            images.append(crop)
            ambients.append(rng.uniform(*self._ambients))
            dropped.append(rng.random() < self._class_dropout)
            if source.surface is None or rng.random() < self._field_dropout:
                fields.append(FieldCrop.unknown(self._crop.pixels))
            else:
                fields.append(source.surface.crop(matrix, self._crop.pixels, ambients[-1], draw_person(rng)))
        rgb, classes = (np.stack(parts) for parts in zip(*images, strict=True))
        return SourceBatch(
            _channels_first(rgb),
            torch.from_numpy(classes),
            torch.tensor(ambients, dtype=torch.float32),
            torch.tensor(dropped),
            torch.from_numpy(np.stack([field.celsius for field in fields]))[:, None],
            torch.from_numpy(np.stack([field.spread_kelvin for field in fields]))[:, None],
            torch.tensor([field.pixels_per_cm for field in fields], dtype=torch.float32),
        )


def _prepare_pair(pair: Pair, ambient_celsius: float, with_field: bool) -> _PreparedPair:
    if pair.classes is None:
        rgb, foreground = pair.rgb, estimate_foreground(pair.thermal)
    else:
        rgb = mask_background(pair.rgb, pair.classes)
        foreground = (pair.classes != FaceClass.BACKGROUND) & (pair.classes != FaceClass.IGNORE)
    filled = None if pair.classes is None else fill_glasses(pair.classes)
    thermal = build_pyramid(pair.thermal)
    room = ambient_celsius if pair.ambient_celsius is None else pair.ambient_celsius
    field = mean_field(pair.points, pair.classes, pair.rgb, room) if with_field else None
    return _PreparedPair(
        build_pyramid(rgb), thermal, pair.classes, filled, foreground, pair.ambient_celsius, pair.known, field
    )


def _prepare_source(
    rgb: np.ndarray, classes: np.ndarray, points: np.ndarray | None, crop_pixels: int
) -> _PreparedSource:
    surface = None if points is None else FaceSurface(points, classes, rgb, crop_pixels)
    return _PreparedSource(build_pyramid(mask_background(rgb, classes)), classes, fill_glasses(classes), surface)


def _crop_pair(
    pair: _PreparedPair, rng: np.random.Generator, crop: CropSettings, field_dropout: float
) -> tuple[np.ndarray, ...]:
    """The arrays of ``PairBatch`` in their order, less the ambient."""
    matrix, foreground = draw_crop(rng, pair.foreground, crop)
    rgb = augment_rgb(warp_linear(pair.rgb, matrix, crop.pixels), rng, crop.photometric_strength)
    thermal = warp_linear(pair.thermal, matrix, crop.pixels)
    known = True if pair.known is None else warp_nearest(pair.known.astype(np.uint8), matrix, crop.pixels).astype(bool)
    if pair.classes is None:
        # Beyond the image is background; within it the classes are not known: everything counts.
        inside = warp_nearest(np.ones(pair.foreground.shape, np.uint8), matrix, crop.pixels)
        unknown = np.full_like(inside, FaceClass.IGNORE)
        mask = inside.view(bool) & known
        return mask_background(rgb, inside), thermal, mask, foreground & known, unknown, unknown_field(mask.shape)
    rgb, classes = _mask_crop(rgb, pair.classes, pair.filled, matrix, crop.pixels)
    if pair.field is None or rng.random() < field_dropout:
        field = unknown_field(classes.shape)
    else:
        field = warp_linear(pair.field, matrix, crop.pixels)
    return rgb, thermal, foreground & known, foreground & known, classes, field


def _crop_source(source: _PreparedSource, rng: np.random.Generator, crop: CropSettings) -> tuple[np.ndarray, ...]:
    """The crop's map, and its image and classes."""
    matrix, _ = draw_crop(rng, source.classes != FaceClass.BACKGROUND, crop)
    rgb = augment_rgb(warp_linear(source.rgb, matrix, crop.pixels), rng, crop.photometric_strength)
    return matrix, *_mask_crop(rgb, source.classes, source.filled, matrix, crop.pixels)


def _mask_crop(
    rgb: np.ndarray, classes: np.ndarray, filled: np.ndarray, matrix: np.ndarray, pixels: int
) -> tuple[np.ndarray, np.ndarray]:
    """The crop with black background, and its classes with lenses filled: without glasses one map is both."""
    shown = warp_nearest(classes, matrix, pixels)
    return mask_background(rgb, shown), shown if filled is classes else warp_nearest(filled, matrix, pixels)


def _channels_first(rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(rgb).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from.

    Attributes:
        pairs: the paired images.
        pair_subjects: the subject of each; none is both trained and validated on.
        pair_values: what their thermal images hold, ``celsius`` or ``relative``.
        supervision: what radiometric pairs are trusted for, ``absolute`` or ``within_class``.
        sources: (rgb (H, W, 3) uint8, classes (H, W) uint8) of the unpaired images.
        bank: patches of real thermal images; None for networks that are not compared with any.
        prior: the table of the temperature prior.
        ambient_celsius: lowest and highest ambient temperature trained for.
        read_prior_at_celsius: see ``PriorTable.at``.
        meshes: (478, 3) points of each source, None where it has none; None: no source has any.
        prior_per_pixel: whether skin is held to the heat field where the network sees one, and not to class means.
    """

    pairs: Sequence[Pair]
    pair_subjects: Sequence[str]
    pair_values: str
    supervision: str
    sources: Sequence[tuple[np.ndarray, np.ndarray]]
    bank: PatchBank | None
    prior: PriorTable
    ambient_celsius: tuple[float, float]
    read_prior_at_celsius: float | None = None
    meshes: Sequence[np.ndarray | None] | None = None
    prior_per_pixel: bool = True

    def prior_at(self, ambient_celsius: float) -> Prior:
        """What the prior says for an ambient temperature."""
        return self.prior.at(ambient_celsius, self.read_prior_at_celsius)

    @property
    def middle_celsius(self) -> float:
        """The middle of the ambient range, for pairs without one of their own."""
        return sum(self.ambient_celsius) / 2


@dataclass(frozen=True)
class StepDraws(TensorBatch):
    """Made with the step's crops, so that nothing is drawn or looked up while a GPU waits."""

    targets: Tensor  # (C, 19) float32 degrees Celsius that the prior expects of each source crop's classes
    real: Tensor  # (S, N) int64: patches of the bank, by scale; 0 where it has none
    places: Tensor  # (S, N) float64 in [0, 1): of the generated patches, see patches.take_patches


def draw_step(data: TrainingData, ambient_celsius: Tensor, patches: int, seed: int, step: int) -> StepDraws:
    """Draw what a step needs: ``patches`` a scale, for source crops of (C,) float32 ambient temperatures."""
    targets = np.stack([data.prior_at(ambient).celsius for ambient in ambient_celsius.tolist()])
    generator = torch.Generator().manual_seed(derive_seed(seed, RngStream.PATCHES, step))
    real = [torch.randint(max(1, len(cloud)), (patches,), generator=generator) for cloud in data.bank.patches]
    places = torch.rand(len(real), patches, generator=generator, dtype=torch.float64)
    return StepDraws(torch.from_numpy(targets), torch.stack(real), places)
