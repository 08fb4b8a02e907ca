"""The images of training faces, decoded once and kept while memory and disk allow, as fine as crops need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tfake.landmarks.crops import MARGIN
from tfake.landmarks.settings import LandmarkSettings
from tfake.landmarks.training_faces import LazyFace, Levels, TrainingFace
from tfake.thermalizer.crops import build_pyramid, choose_level
from tfake.training.drawing import Cache
from tfake.training.scratch import ScratchFile


@dataclass(frozen=True)
class _Image:
    levels: Levels

    @property
    def nbytes(self) -> int:
        return sum(level.nbytes for level in self.levels)


class FaceCache(Sequence[LazyFace]):
    """Faces for the crops of one run; what is drawn from them is the same whatever is kept."""

    def __init__(
        self,
        faces: Sequence[TrainingFace | LazyFace],
        settings: LandmarkSettings,
        cache_bytes: int,
        scratch: ScratchFile | None = None,
    ) -> None:
        """Begin empty.

        Args:
            faces: the faces.
            settings: how they will be cropped.
            cache_bytes: memory for images.
            scratch: where visible images go that memory has no room for: a PNG takes many times as long as its bytes,
                while thermal images and class maps come fast enough from the stores.
        """
        self._faces, self._scratch = faces, scratch
        self._least_margin, self._pixels = min(settings.crop_scale[0], MARGIN), settings.image_pixels
        self._images = Cache(self._read, cache_bytes)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._faces)

    def __getitem__(self, index: int) -> LazyFace:
        """A face; its images are the cache's."""
        face = self._faces[index]
        return LazyFace(face.points, face.weights, face.shape, tuple(face.thermal), partial(self._levels, index))

    def _levels(self, index: int, kind: str, variant: str | None) -> Levels:
        return self._images[index, kind, variant].levels

    def _read(self, key: tuple[int, str, str | None]) -> _Image:
        index, kind, variant = key
        if kind == "rgb" and self._scratch is not None and (finest := self._scratch.get(index)) is not None:
            return _Image(build_pyramid(finest))
        face = self._faces[index]
        if kind == "foreground":
            return _Image((face.foreground,))
        levels = face.rgb if kind == "rgb" else face.thermal[variant]
        # The smallest crop's edge over the crop's pixels: what is finer than that is never looked at.
        side = float((face.points.max(axis=0) - face.points.min(axis=0)).max())
        finest = min(len(levels) - 1, choose_level(max(side, 2.0) * self._least_margin / self._pixels))
        if kind == "rgb" and self._scratch is not None and self._images.is_full:
            self._scratch.add(index, levels[finest])
        return _Image(levels[finest:])
