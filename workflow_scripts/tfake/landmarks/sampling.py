"""Training batches without end: thermal and visible crops of faces, and textures, from (seed, step, place) alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tfake.landmarks.conventions import convention
from tfake.landmarks.crops import MARGIN
from tfake.landmarks.settings import LandmarkSettings
from tfake.landmarks.textures import draw_texture
from tfake.landmarks.thermal_augmentation import show_thermal
from tfake.landmarks.training_faces import TrainingFace
from tfake.thermalizer.augmentation import augment_rgb
from tfake.thermalizer.crops import warp_linear, warp_nearest
from tfake.training.chance import Stream
from tfake.training.drawing import ALONE, CACHE_BYTES, Cache, Drawing, Share, move_batch

_SETS = {70: "face70", 478: "mesh478"}


@dataclass(frozen=True)
class LandmarkBatch:
    """Crops of a step."""

    images: Tensor  # (B, 3, P, P) float32 in 0..1
    points: Tensor  # (B, L, 2) float32 crop widths
    weights: Tensor  # (B, L) float32
    is_face: Tensor  # (B,) bool: otherwise a texture, whose points mean nothing

    def to(self, device: torch.device) -> "LandmarkBatch":
        """The batch on a device."""
        return move_batch(self, device)


def mirror_order(landmarks: int) -> np.ndarray:
    """The point that each of 70 or 478 becomes in a mirror: (L,) intp, its own inverse."""
    return convention(_SETS[landmarks]).partners


class FaceSampler:
    """Batches of crops."""

    def __init__(
        self,
        faces: Sequence[TrainingFace],
        landmarks: int,
        settings: LandmarkSettings,
        share: Share = ALONE,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Keep the set.

        Args:
            faces: the faces.
            landmarks: 70 or 478.
            settings: of the run.
            share: which crops of a batch are made here.
            cache_bytes: memory for decoded faces.

        Raises:
            ValueError: the set is empty.
        """
        if not len(faces):
            raise ValueError("there are no faces to learn from")
        self._settings = settings
        self._textures = round(settings.texture_share * settings.batch)
        self._order = mirror_order(landmarks)
        self._faces = Cache(lambda index: faces[index], cache_bytes)
        of_faces = settings.batch - self._textures
        self._draw = Drawing(len(faces), of_faces, settings.seed, share, Stream.FACE_ORDER, Stream.FACE_CROPS)
        # A texture needs no item: its own chance is all there is to draw.
        self._blank = Drawing(1, self._textures, settings.seed, share, Stream.TEXTURES, Stream.TEXTURES)

    def batch(self, step: int) -> LandmarkBatch:
        """Draw the crops of a step."""
        crops = [crop_face(self._faces[index], self._order, rng, self._settings) for index, rng in self._draw(step)]
        count = len(crops)
        crops += [_crop_texture(len(self._order), rng, self._settings) for _, rng in self._blank(step)]
        images, points, weights = (np.stack(parts) for parts in zip(*crops, strict=True))
        return LandmarkBatch(
            torch.from_numpy(images).permute(0, 3, 1, 2),
            torch.from_numpy(points),
            torch.from_numpy(weights),
            torch.arange(len(crops)) < count,
        )


def crop_face(
    face: TrainingFace, order: np.ndarray, rng: np.random.Generator, settings: LandmarkSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw one crop of a face: where, in which spectrum, how it looks, and on what.

    Args:
        face: the face.
        order: from ``mirror_order``.
        rng: the source of chance.
        settings: of the run.

    Returns:
        (P, P, 3) float32 image in 0..1, (L, 2) float32 points in crop widths, (L,) float32 weights.
    """
    pixels = settings.image_pixels
    matrix, mirrored = _draw_square(face.points, rng, settings)
    if rng.random() < settings.thermal_share:
        variant = sorted(face.thermal)[rng.integers(len(face.thermal))]
        celsius = warp_linear(face.thermal[variant], matrix, pixels)
        image = np.repeat(show_thermal(celsius, rng, settings.thermal_strength)[..., None], 3, axis=2)
    else:
        rgb = augment_rgb(warp_linear(face.rgb, matrix, pixels), rng, settings.photometric_strength)
        image = rgb.astype(np.float32) / 255
    if rng.random() < settings.background_share:
        texture = draw_texture(rng, pixels)
        image = np.where(warp_nearest(face.foreground, matrix, pixels)[..., None] > 0, image, texture)
    elif rng.random() < 0.5:
        # Beyond the image its border goes on, or there is nothing, as where a window reaches over the edge.
        image = image * warp_nearest(np.ones_like(face.foreground), matrix, pixels)[..., None]
    return image, *_place_points(face, matrix, pixels, order if mirrored else slice(None))


def crop_still(
    face: TrainingFace, variant: str | None, margin: float, pixels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop as inference sees it: upright, centred on the face, nothing varied.

    Args:
        face: the face.
        variant: which thermal image; None: RGB.
        margin: edge of the crop over the longer side of the face's box.
        pixels: edge of the crop.

    Returns:
        As ``crop_face``.
    """
    matrix = _square_matrix(face.points, margin, pixels)
    return _show_still(face, variant, matrix, pixels), *_place_points(face, matrix, pixels, slice(None))


def elsewhere_crops(face: TrainingFace, variant: str | None, pixels: int) -> list[np.ndarray]:
    """Windows of an image that hold at most a corner of the face: a crop's edge left, right, above and below it.

    Args:
        face: the face.
        variant: which thermal image; None: RGB.
        pixels: edge of the crops.

    Returns:
        Four (pixels, pixels, 3) float32 crops in 0..1.
    """
    centred = _square_matrix(face.points, MARGIN, pixels)
    crops = []
    for direction in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        moved = centred.copy()
        moved[:, 2] += centred[0, 0] * pixels * np.array(direction)
        crops.append(_show_still(face, variant, moved, pixels))
    return crops


def _show_still(face: TrainingFace, variant: str | None, matrix: np.ndarray, pixels: int) -> np.ndarray:
    if variant is None:
        image = warp_linear(face.rgb, matrix, pixels).astype(np.float32) / 255
    else:
        celsius = warp_linear(face.thermal[variant], matrix, pixels)
        image = np.repeat(show_thermal(celsius, np.random.default_rng(0), 0.0)[..., None], 3, axis=2)
    return image * warp_nearest(np.ones_like(face.foreground), matrix, pixels)[..., None]


def _place_points(face: TrainingFace, matrix: np.ndarray, pixels: int, order) -> tuple[np.ndarray, np.ndarray]:
    inverse = np.linalg.inv(matrix[:, :2])
    points = (face.points - matrix[:, 2]) @ inverse.T
    return ((points[order] + 0.5) / pixels).astype(np.float32), face.weights[order]


def _square_matrix(points: np.ndarray, margin: float, pixels: int) -> np.ndarray:
    least, most = points.min(axis=0), points.max(axis=0)
    scale = max(float((most - least).max()), 2.0) * margin / pixels
    middle = (least + most) / 2 - scale * (pixels - 1) / 2
    return np.column_stack((scale * np.eye(2), middle))


def _draw_square(points: np.ndarray, rng: np.random.Generator, settings: LandmarkSettings) -> tuple[np.ndarray, bool]:
    """(2, 3) from crop pixels to image pixels, and whether it is a mirror."""
    pixels = settings.image_pixels
    least, most = points.min(axis=0), points.max(axis=0)
    margin = math.exp(rng.uniform(*np.log(settings.crop_scale)))
    edge = max(float((most - least).max()), 2.0) * margin
    angle = math.radians(rng.uniform(-1, 1) * settings.rotation_degrees)
    shear = math.tan(math.radians(rng.uniform(-1, 1) * settings.shear_degrees))
    mirrored = bool(rng.random() < 0.5)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn @ np.array([[-1.0 if mirrored else 1.0, shear], [0.0, 1.0]]) * edge / pixels
    centre = (least + most) / 2 + rng.normal(0, settings.shift, 2) * edge
    half = (pixels - 1) / 2
    return np.column_stack((linear, centre - linear @ np.array([half, half]))), mirrored


def _crop_texture(
    landmarks: int, rng: np.random.Generator, settings: LandmarkSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image = draw_texture(rng, settings.image_pixels)
    return image, rng.random((landmarks, 2), dtype=np.float32), np.ones(landmarks, np.float32)
