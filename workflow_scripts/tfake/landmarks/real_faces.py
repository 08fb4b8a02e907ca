"""Real thermal faces with a teacher's points: a small file of crops, and the faces that a network learns from.

A crop reaches a face's box around the face, as far as the picture does, and is never finer than a network looks. Of
the 70 points, those count that have a place on FaceMesh's surface: neither the jaw, which is elsewhere once a head
turns, nor the tip of the nose, which the two sets put in different places (.04 of the face apart).
"""

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, Self, TypeVar

import cv2
import numpy as np

from tfake.core.codes import LANDMARKS, MESH_POINTS
from tfake.core.files import write_whole
from tfake.core.radiometry import WINDOW_CELSIUS
from tfake.imaging.crops import build_pyramid
from tfake.labels.correspondence import SHARED_70
from tfake.landmarks.adapters import plain_map
from tfake.training.training_faces import MESH_WEIGHT, Levels, TrainingFace

#: What a real face's one thermal image is called among the variants.
REAL = "real"
#: Edge of a crop over the longer side of the face's box, and at most, in pixels.
_MARGIN, _MOST_PIXELS = 3.0, 384
#: Of the points that have a place on the mesh, the nose's tip has another one there.
_ELSEWHERE = (30,)
_STRETCH_PERCENT = (1, 99)


@dataclass(frozen=True, eq=False)
class RealFace:
    """A thermal crop with the teacher's points.

    Attributes:
        name: of its picture, and the face's number where there are several.
        subject: who it is.
        celsius: (h, w) float16 °C; relative values are spread over 20 to 40.
        mesh: (478, 2) float32 pixels of the crop, pixel centres at integers.
        disagreement: how far the teacher's answers are apart, over sqrt(w h).
    """

    name: str
    subject: str
    celsius: np.ndarray
    mesh: np.ndarray
    disagreement: float

    @classmethod
    def cut(
        cls, name: str, subject: str, thermal: np.ndarray, is_relative: bool, mesh: np.ndarray, disagreement: float
    ) -> Self:
        """Cut a face out of its picture.

        Args:
            name: as the attribute.
            subject: as the attribute.
            thermal: (H, W) float32, °C or relative values.
            is_relative: whether they are relative.
            mesh: (478, 2) pixels of the picture.
            disagreement: as the attribute.
        """
        crop, points = cut_crop(thermal, is_relative, mesh)
        return cls(name, subject, crop, points, disagreement)

    @property
    def points_70(self) -> np.ndarray:
        """(70, 2) float32 pixels of the crop: those without a place on the mesh are where a mean face has them."""
        return plain_map(self.mesh, "mesh478", "face70").astype(np.float32)

    def to_learn_from(self, landmarks: int) -> TrainingFace:
        """The face with 70, 478 or both, 548, points, of which those that are elsewhere have the weight 0."""
        levels: dict[str, Levels] = {"thermal": build_pyramid(self.celsius.astype(np.float32)), "foreground": ()}
        sets = {LANDMARKS: (self.points_70,), MESH_POINTS: (self.mesh,)}
        points = np.concatenate(sets.get(landmarks, (self.points_70, self.mesh)))
        return TrainingFace(
            points, weights_of_mesh(landmarks), self.celsius.shape, (REAL,), lambda kind, variant: levels[kind]
        )


def cut_crop(thermal: np.ndarray, is_relative: bool, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut the surroundings of a face out of its picture, no finer than a network looks.

    Args:
        thermal: (H, W) float32, °C or relative values.
        is_relative: whether they are relative: they are then spread over 20 to 40 °C.
        points: (L, 2) of the face, pixels of the picture.

    Returns:
        (h, w) float16 °C, and the points as (L, 2) float32 pixels of it.
    """
    least, most = points.min(axis=0), points.max(axis=0)
    middle, half = (least + most) / 2, _MARGIN / 2 * float((most - least).max())
    low = np.maximum(np.floor(middle - half), 0).astype(int)
    high = np.minimum(np.ceil(middle + half) + 1, thermal.shape[::-1]).astype(int)
    crop, points = thermal[low[1] : high[1], low[0] : high[0]], points - low
    if is_relative:
        crop = relative_as_celsius(crop)
    factor = _MOST_PIXELS / max(crop.shape)
    if factor < 1:
        size = tuple(max(1, round(edge * factor)) for edge in crop.shape[::-1])
        points = (points + 0.5) * (np.array(size) / crop.shape[::-1]) - 0.5
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    return crop.astype(np.float16), points.astype(np.float32)


@cache
def weights_of_mesh(landmarks: int) -> np.ndarray:
    """How much each of 70, 478 or 548 points that come from a mesh counts: (L,) float32."""
    if landmarks == MESH_POINTS:
        return np.ones(landmarks, np.float32)
    weights = np.zeros(LANDMARKS, np.float32)
    weights[SHARED_70] = 1
    weights[list(_ELSEWHERE)] = 0
    if landmarks == LANDMARKS:
        return weights
    return np.concatenate((weights, np.full(MESH_POINTS, MESH_WEIGHT, np.float32)))


def save_real_faces(path: str, faces: Sequence[RealFace]) -> None:
    """Write faces; equal faces give equal bytes.

    The file is an npz: ``names``, ``subjects``, ``disagreement`` (N,), ``points_478`` (N, 478, 2), ``points_70``
    (N, 70, 2), ``weights_70`` (70,), ``shapes`` (N, 2), and the crops' pixels one after the other, ``celsius``.
    """
    count = len(faces)
    arrays = {
        "names": np.array([face.name for face in faces], dtype=str),
        "subjects": np.array([face.subject for face in faces], dtype=str),
        "disagreement": np.array([face.disagreement for face in faces], np.float32),
        "points_478": np.array([face.mesh for face in faces], np.float32).reshape(count, MESH_POINTS, 2),
        "points_70": np.array([face.points_70 for face in faces], np.float32).reshape(count, LANDMARKS, 2),
        "weights_70": weights_of_mesh(LANDMARKS),
        "shapes": np.array([face.celsius.shape for face in faces], np.int32).reshape(count, 2),
        "celsius": np.concatenate([np.empty(0, np.float16), *(face.celsius.ravel() for face in faces)]),
    }

    def write(part: str) -> None:
        with open(part, "wb") as file:
            np.savez_compressed(file, **arrays)

    write_whole(path, write)


def load_real_faces(path: str | Path) -> list[RealFace]:
    """Read what ``save_real_faces`` wrote.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is another file.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        ends = np.cumsum(arrays["shapes"].prod(axis=1))[:-1]
        crops = np.split(arrays["celsius"], ends) if len(arrays["shapes"]) else []
        return [
            RealFace(str(name), str(subject), crop.reshape(shape), mesh, float(disagreement))
            for name, subject, crop, shape, mesh, disagreement in zip(
                *(arrays[key] for key in ("names", "subjects")),
                crops,
                *(arrays[key] for key in ("shapes", "points_478", "disagreement")),
                strict=True,
            )
        ]
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: expected a file of labelled real faces ({error})") from error


class _OfSubject(Protocol):
    @property
    def subject(self) -> str: ...


_Face = TypeVar("_Face", bound=_OfSubject)


def split_by_subject(faces: Iterable[_Face], share: float) -> tuple[list[_Face], list[_Face]]:
    """Part faces into those to learn from and those held out, no subject in both.

    Args:
        faces: of one folder.
        share: of the subjects to hold out. Of two and more, one at least is on either side.

    Returns:
        To learn from, and held out; which is which follows from the subjects' names alone.
    """
    faces = list(faces)
    ordered = sorted({face.subject for face in faces}, key=lambda name: hashlib.sha256(name.encode()).digest())
    count = round(share * len(ordered))
    if share > 0 and len(ordered) > 1:
        count = min(max(count, 1), len(ordered) - 1)
    held = set(ordered[:count])
    return [face for face in faces if face.subject not in held], [face for face in faces if face.subject in held]


def relative_as_celsius(values: np.ndarray) -> np.ndarray:
    """Relative values (H, W) spread over the window of temperatures that is shown, nothing cut off."""
    low, high = np.percentile(values, _STRETCH_PERCENT)
    black, white = WINDOW_CELSIUS
    return (black + (white - black) * (values - low) / max(high - low, 1e-6)).astype(np.float32)
