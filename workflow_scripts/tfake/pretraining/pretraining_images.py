"""Where images come from: the thermal variants of the stores, and folders of anybody's thermal pictures and films."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tfake.archive.thermal_images import open_thermal_images
from tfake.core.codes import LANDMARKS
from tfake.imaging.crops import build_pyramid, choose_level
from tfake.labels.conventions import convention
from tfake.landmarks.real_faces import relative_as_celsius
from tfake.landmarks.real_labelling import subject_of
from tfake.pretraining.pretraining_views import PretrainingImage
from tfake.training.loading import CACHE_BYTES, MemoryCache
from tfake.training.training_faces import FaceCache, Levels, TrainingFace


class StoredImages(Sequence[PretrainingImage]):
    """The variants of faces with 70 points, one after the other; every face is a subject of its own."""

    def __init__(self, faces: Sequence[TrainingFace], variants: Sequence[str], least_crop: float, pixels: int) -> None:
        """Keep the faces.

        Args:
            faces: with 70 points; of the points no more than the box and TFW's five are looked at.
            variants: which of their thermal images.
            least_crop: edge of the smallest crop over the longer side of the face's box.
            pixels: edge that this crop will have.
        """
        self._faces, self._variants = FaceCache(faces, least_crop, pixels, CACHE_BYTES), tuple(variants)
        self._five = convention("tfw5").places[:, :LANDMARKS].astype(np.float32)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self._faces) * len(self._variants)

    def __getitem__(self, index: int) -> PretrainingImage:
        """One of them."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        subject, place = divmod(index, len(self._variants))
        face = self._faces[subject]
        box = (*face.points.min(axis=0).tolist(), *face.points.max(axis=0).tolist())
        read = partial(face.thermal, self._variants[place])
        return PretrainingImage(face.shape, box, read, subject, self._five @ face.points)


@dataclass(frozen=True)
class UnlabelledFolder:
    """Thermal pictures and films, as an entry of ``pretraining.folders`` states them.

    Attributes:
        path: a folder or zip.
        values: what the pictures hold (:func:`tfake.thermal_io.scales.parse_scale`).
        subjects: a regular expression whose first group, or whole match, is who is on a picture, by its name; None:
            each file is one of its own, all frames of a film being one.
    """

    path: str
    values: str | Mapping[str, Any]
    subjects: str | None = None


@dataclass(frozen=True)
class _Picture:
    shape: tuple[int, int]
    region: tuple[float, float, float, float]
    levels: Levels

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self.levels)


class FolderImages(Sequence[PretrainingImage]):
    """The pictures of a folder; what crops are cut around is the warm foreground, or all where there is none."""

    def __init__(self, folder: UnlabelledFolder, least_crop: float, pixels: int) -> None:
        """Open the folder and read every picture once.

        Args:
            folder: the folder.
            least_crop: edge of the smallest crop over the longer side of the foreground's box.
            pixels: edge that this crop will have.

        Raises:
            FileNotFoundError: no such folder.
            ValueError: it holds no such pictures, none that can be read, or a name without a subject.
        """
        self._images = open_thermal_images(folder.path, folder.values)
        self._least_crop, self._pixels = least_crop, pixels
        self._pictures: MemoryCache[int, _Picture] = MemoryCache(self._read, CACHE_BYTES)
        self._places: list[int] = []
        who, digest = [], hashlib.sha256()
        for place, name in enumerate(self._images.names):
            subject = subject_of(name, folder.subjects, name.partition("#")[0])
            try:
                picture = self._pictures[place]
            except ValueError as error:
                logging.warning("%s is left out: %s", name, error)
                continue
            digest.update(repr((name, subject, picture.region)).encode() + picture.levels[0].tobytes())
            self._places.append(place)
            who.append(subject)
        if not who:
            raise ValueError(f"{folder.path}: not one of {len(self._images)} pictures can be read")
        if len(who) < len(self._images):
            logging.warning(
                "%s: %d of %d pictures are left out", folder.path, len(self._images) - len(who), len(self._images)
            )
        #: Who is on each picture.
        self.subjects = tuple(who)
        #: Stands for what the pictures hold, and for who is on them.
        self.digest = digest.hexdigest()
        numbers = {name: number for number, name in enumerate(dict.fromkeys(who))}
        self._numbers = [numbers[name] for name in who]

    def __len__(self) -> int:
        """How many pictures can be read."""
        return len(self._places)

    def __getitem__(self, index: int) -> PretrainingImage:
        """One of them."""
        place = self._places[index]
        picture = self._pictures[place]
        return PretrainingImage(
            picture.shape, picture.region, lambda: self._pictures[place].levels, self._numbers[index]
        )

    def _read(self, place: int) -> _Picture:
        thermal, foreground = self._images[place]
        if self._images.values == "relative":
            thermal = relative_as_celsius(thermal)
        height, width = thermal.shape
        region = (0.0, 0.0, width - 1.0, height - 1.0)
        if foreground.any():
            columns, rows = (np.flatnonzero(foreground.any(axis=axis)) for axis in (0, 1))
            region = (float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1]))
        levels = build_pyramid(thermal.astype(np.float32))
        longer = max(region[2] - region[0], region[3] - region[1], 2.0)
        finest = min(len(levels) - 1, choose_level(min(longer * self._least_crop, height, width) / self._pixels))
        return _Picture((height, width), region, levels[finest:])


class JoinedImages(Sequence[PretrainingImage]):
    """Several sources, one after the other."""

    def __init__(self, sources: Sequence[tuple[Sequence[PretrainingImage], int]]) -> None:
        """Keep the sources, each with the number that its first subject gets."""
        self._sources = list(sources)
        self._ends = np.cumsum([len(images) for images, _ in sources], dtype=int)

    def __len__(self) -> int:
        """How many images there are."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> PretrainingImage:
        """One of them."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = int(np.searchsorted(self._ends, index, side="right"))
        images, first = self._sources[place]
        image = images[index - (int(self._ends[place - 1]) if place else 0)]
        return replace(image, subject=image.subject + first)
