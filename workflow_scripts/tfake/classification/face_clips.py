"""Clips of faces with a class: so many frames of one person, cut around the face, as a network is shown them.

A square around the face is cut alike out of all frames of a clip, so that what the head does is still seen. Frames are
drawn as of temporal segments (Wang et al., Temporal Segment Networks, ECCV 2016): the clip is divided into as many
parts as frames are wanted, and one frame of each is taken, a random one in training and the middle one otherwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tfake.core.codes import ApparentSex, ExpressionClass
from tfake.imaging.crops import Box, build_pyramid, square_around, square_around_image, warp_linear
from tfake.imaging.thermal_augmentation import augment_thermal
from tfake.reader.sequences import SequenceDataset, ThermalSequence
from tfake.training.loading import CACHE_BYTES, MemoryCache

#: What is learnt, and its classes in the order of their numbers.
ATTRIBUTES = {
    "expression": tuple(code.name.lower() for code in ExpressionClass),
    "apparent_sex": tuple(code.name.lower() for code in ApparentSex if code is not ApparentSex.UNKNOWN),
}
#: Edge of what is kept of a frame over that of the crop: room to move and scale the crop in training.
_SPARE = 1.25
#: Largest shift of a crop over the edge of what is kept, and largest change of its scale, in training.
_SHIFT, _ZOOM = 0.06, 0.1


@dataclass(frozen=True, eq=False)
class FaceClip:
    """Some frames of one person.

    Attributes:
        name: of the sequence or the image.
        subject: who is seen; of two sources, no one has the same.
        label: the class, a place among the classes.
        frames: how many there are.
        box: left, top, right, bottom of the face in pixels, the same for all frames; None: the picture is the crop.
        read: gives all frames, (T, H, W) float32 °C.
        landmarks: gives the exact points of all frames, (T, 70, 2) pixels; None where nobody knows.
    """

    name: str
    subject: str
    label: int
    frames: int
    box: Box | None
    read: Callable[[], np.ndarray]
    landmarks: Callable[[], np.ndarray] | None = None


@dataclass(frozen=True)
class ClipViews:
    """How clips are shown.

    Attributes:
        pixels: edge of a frame.
        frames: how many of a clip.
        crop_scale: edge of a crop over the longer side of the face's box.
        thermal_strength: how much the display is varied in training
            (:func:`tfake.imaging.thermal_augmentation.augment_thermal`).
    """

    pixels: int
    frames: int
    crop_scale: float
    thermal_strength: float


def clips_of_sequences(sequences: SequenceDataset, attribute: str, classes: Sequence[str]) -> list[FaceClip]:
    """Every sequence as a clip.

    Args:
        sequences: of a store.
        attribute: ``expression`` or ``apparent_sex``.
        classes: names of the classes, in the order of their numbers.

    Raises:
        ValueError: a sequence is of no such class.
    """
    return [_clip_of(sequence, attribute, tuple(classes)) for sequence in sequences]


def _clip_of(sequence: ThermalSequence, attribute: str, classes: tuple[str, ...]) -> FaceClip:
    name = getattr(sequence, attribute).name.lower()
    if name not in classes:
        raise ValueError(f"{sequence.sequence_id}: expected the {attribute} {', '.join(classes)}; found {name}")
    points = sequence.read("landmarks_70")
    corners = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    middle, half = (corners[:, :2] + corners[:, 2:]).mean(axis=0) / 2, np.median(np.ptp(points, axis=1), axis=0) / 2
    box = (*(middle - half).tolist(), *(middle + half).tolist())
    return FaceClip(
        sequence.sequence_id,
        sequence.subject_id,
        classes.index(name),
        len(sequence),
        box,
        partial(sequence.read, "thermal"),
        partial(sequence.read, "landmarks_70"),
    )


def segment_frames(frames: int, segments: int, rng: np.random.Generator | None) -> np.ndarray:
    """One frame of each of so many equal parts of a clip: (segments,) int, rising.

    Args:
        frames: of the clip; fewer than segments: some come again.
        segments: parts.
        rng: draws a frame of each part; None takes the middle one.
    """
    ends = np.linspace(0, frames, segments + 1)
    place = np.full(segments, 0.5) if rng is None else rng.random(segments)
    return np.minimum((ends[:-1] + place * np.diff(ends)).astype(int), frames - 1)


@dataclass(frozen=True, eq=False)
class _Pixels:
    """The surroundings of a face in all frames of a clip: (T, S, S) float16 °C."""

    celsius: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.celsius.nbytes


class ShownClips:
    """Clips as a network is shown them; their pixels are read once, as far as memory goes. For several threads."""

    def __init__(self, clips: Sequence[FaceClip], views: ClipViews) -> None:
        """Keep the clips and how they are shown."""
        self.clips, self._views = list(clips), views
        self._edge = round(views.pixels * _SPARE)
        self._pixels: MemoryCache[int, _Pixels] = MemoryCache(self._read, CACHE_BYTES)

    def __len__(self) -> int:
        """How many clips."""
        return len(self.clips)

    @property
    def labels(self) -> np.ndarray:
        """(N,) int, the classes."""
        return np.array([clip.label for clip in self.clips], dtype=np.int64)

    def show(self, index: int, rng: np.random.Generator | None = None) -> np.ndarray:
        """A clip.

        Args:
            index: which.
            rng: draws frames, crop and display, as in training; None: as in tests, the same each time.

        Returns:
            (T, P, P) float16 in 0..1.
        """
        clip, pixels = self.clips[index], self._pixels[index].celsius
        chosen = segment_frames(clip.frames, self._views.frames, rng)
        matrix = _crop_matrix(self._edge, self._views.pixels, rng)
        strength = 0.0 if rng is None else self._views.thermal_strength
        # The camera makes the same choices in every frame of a clip.
        seed = 0 if rng is None else int(rng.integers(2**63))
        return np.stack(
            [
                augment_thermal(
                    warp_linear((pixels[frame].astype(np.float32),), matrix, self._views.pixels),
                    np.random.default_rng(seed),
                    strength,
                )
                for frame in chosen
            ]
        ).astype(np.float16)

    def _read(self, index: int) -> _Pixels:
        clip, frames = self.clips[index], self.clips[index].read()
        square = square_around_image(frames.shape[1:])
        if clip.box is not None:
            square = square_around(clip.box, self._views.crop_scale)
        left, top, side = square.tolist()
        scale = side * _SPARE / self._edge
        # Pixel i of what is kept is centred (i + 1/2) pixels of its own behind the edge, as of crop_squares.
        spare = side * (_SPARE - 1) / 2
        matrix = np.array(((scale, 0.0, left - spare + scale / 2), (0.0, scale, top - spare + scale / 2)))
        cut = [warp_linear(build_pyramid(frame), matrix, self._edge) for frame in frames]
        return _Pixels(np.stack(cut).astype(np.float16))


def _crop_matrix(edge: int, pixels: int, rng: np.random.Generator | None) -> np.ndarray:
    """From pixels of the crop to those of a square: (2, 3). Its middle, or about it and mirrored or not."""
    scale = edge / _SPARE / pixels
    centre, mirror = np.full(2, (edge - 1) / 2), 1.0
    if rng is not None:
        scale *= 1 + rng.uniform(-_ZOOM, _ZOOM)
        centre = centre + rng.uniform(-_SHIFT, _SHIFT, 2) * edge
        mirror = -1.0 if rng.random() < 0.5 else 1.0
    linear = np.diag((mirror * scale, scale))
    return np.column_stack((linear, centre - linear @ np.full(2, (pixels - 1) / 2)))
