"""Crops of faces, drawn for training from (seed, step, place) alone, and fixed ones as inference makes them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from tfake.imaging.augmentation import augment_rgb
from tfake.imaging.crops import MARGIN, warp_linear, warp_nearest
from tfake.imaging.real_world import LEAST_ZOOM, disturb_display, disturb_optics, disturb_scene, draw_framing
from tfake.imaging.textures import draw_texture
from tfake.imaging.thermal_augmentation import augment_thermal
from tfake.labels.conventions import convention, set_of_points
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.training.loading import CACHE_BYTES, ScratchFile, TensorBatch
from tfake.training.rng import SINGLE_PROCESS, BatchPart, ProcessShard, RngStream, sample_parts
from tfake.training.training_faces import FaceCache, TrainingFace


@dataclass(frozen=True)
class LandmarkBatch(TensorBatch):
    """Crops of a step, as few bytes as they need: those in colour first, then those without."""

    colour: Tensor  # (C, 3, P, P) uint8
    gray: Tensor  # (G, 1, P, P) float16 in 0..1: finer than 8 bits, as a thermal image is
    points: Tensor  # (C + G, L, 2) float32 crop widths
    weights: Tensor  # (C + G, L) float32
    is_face: Tensor  # (C + G,) bool: otherwise a texture, whose points mean nothing

    @property
    def images(self) -> Tensor:
        """(C + G, 3, P, P) float32 in 0..1, made on the batch's device."""
        return torch.cat((self.colour.float() / 255, self.gray.float().expand(-1, 3, -1, -1)))


class Crop(NamedTuple):
    """One crop of a batch.

    Attributes:
        image: (P, P, 3) uint8 or, without colours, (P, P) float32 in 0..1.
        points: (L, 2) float32 crop widths.
        weights: (L,) float32.
        face: whose crop it is; None: a texture.
        matrix: (2, 3) from the crop's pixels to the face's image; None: a texture.
        has_rgb: whether the face has a visible image.
    """

    image: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    face: TrainingFace | None = None
    matrix: np.ndarray | None = None
    has_rgb: bool = False


def mirror_order(landmarks: int) -> np.ndarray:
    """The point that each of 70, 478 or 548 becomes in a mirror: (L,) intp, its own inverse."""
    return convention(set_of_points(landmarks)).partners


class FaceSampler:
    """Batches of crops."""

    def __init__(
        self,
        faces: Sequence[TrainingFace],
        landmarks: int,
        settings: LandmarkSettings,
        shard: ProcessShard = SINGLE_PROCESS,
        cache_bytes: int = CACHE_BYTES,
        scratch: ScratchFile | None = None,
        real: Sequence[TrainingFace] = (),
        others: Sequence[TrainingFace] = (),
        finest_pixels: int = 0,
    ) -> None:
        """Keep the set.

        Args:
            faces: the faces.
            landmarks: 70, 478, or 548 for both.
            settings: of the run.
            shard: which crops of a batch are made here.
            cache_bytes: memory for decoded images.
            scratch: for visible images that memory has no room for.
            real: real faces, in memory, with a thermal image alone; a share of the crops is theirs.
            others: faces of other runs; a share of the crops is theirs, too.
            finest_pixels: edge of the finest crops that are cut out of the same images, where that is above the
                settings'.

        Raises:
            ValueError: the set is empty.
        """
        if not len(faces):
            raise ValueError("there are no faces to learn from")
        self._settings = settings
        self._textures = round(settings.texture_share * settings.batch)
        self._order = mirror_order(landmarks)
        least_crop = min(LEAST_ZOOM * settings.crop_scale[0], MARGIN)
        share = cache_bytes // (2 if len(others) else 1)
        finest = max(settings.image_pixels, finest_pixels)
        self._faces = FaceCache(faces, least_crop, finest, share, scratch)
        self._others = FaceCache(others, least_crop, finest, share)
        of_faces = settings.batch - self._textures
        of_real = round(settings.real_share * of_faces) if len(real) else 0
        of_others = round(settings.others_share * of_faces) if len(others) else 0
        self._real, self._thermal = real, replace(settings, thermal_share=1.0)
        # A texture needs no item: its own generator is all it needs.
        parts = (
            BatchPart(len(faces), of_faces - of_real - of_others, RngStream.FACE_ORDER, RngStream.FACE_CROPS),
            BatchPart(len(real), of_real, RngStream.REAL_ORDER, RngStream.REAL_CROPS),
            BatchPart(len(others), of_others, RngStream.OTHER_ORDER, RngStream.OTHER_CROPS),
            BatchPart(1, self._textures, RngStream.TEXTURES, RngStream.TEXTURES),
        )
        self._draw, self._draw_real, self._draw_other, self._blank = sample_parts(parts, settings.seed, shard)

    def batches(self, step: int) -> tuple[TensorBatch, ...]:
        """What a training step takes: the batch alone."""
        return (self.batch(step),)

    def batch(self, step: int) -> LandmarkBatch:
        """Draw the crops of a step."""
        return self._collate(self._draw_crops(step))

    def _draw_crops(self, step: int) -> list[Crop]:
        """The crops of a step, those in colour first."""
        order, settings = self._order, self._settings
        crops = [crop_face(self._faces[index], order, rng, settings) for index, rng in self._draw(step)]
        crops += [
            crop_face(self._real[index], order, rng, self._thermal)._replace(has_rgb=False)
            for index, rng in self._draw_real(step)
        ]
        crops += [crop_face(self._others[index], order, rng, settings) for index, rng in self._draw_other(step)]
        crops += [_crop_texture(len(order), rng, settings) for _, rng in self._blank(step)]
        return sorted(crops, key=lambda crop: crop.image.ndim, reverse=True)

    def _collate(self, crops: Sequence[Crop]) -> LandmarkBatch:
        pixels = self._settings.image_pixels
        images = [crop.image for crop in crops]
        # An empty list has no shape of its own.
        colour = np.array([image for image in images if image.ndim == 3], np.uint8).reshape(-1, pixels, pixels, 3)
        gray = np.array([image for image in images if image.ndim == 2], np.float16).reshape(-1, pixels, pixels)
        return LandmarkBatch(
            torch.from_numpy(colour).permute(0, 3, 1, 2),
            torch.from_numpy(gray)[:, None],
            torch.from_numpy(np.stack([crop.points for crop in crops])),
            torch.from_numpy(np.stack([crop.weights for crop in crops])),
            torch.tensor([crop.face is not None for crop in crops]),
        )


def crop_face(face: TrainingFace, order: np.ndarray, rng: np.random.Generator, settings: LandmarkSettings) -> Crop:
    """Draw one crop of a face: where, in which spectrum, how it looks, and on what.

    The face's images are asked for once it is drawn which are needed.

    Args:
        face: the face.
        order: from ``mirror_order``.
        rng: random numbers.
        settings: of the run.

    Returns:
        The crop; its image is (P, P, 3) uint8 or, where it is thermal, (P, P) float32 in 0..1.
    """
    pixels = settings.image_pixels
    matrix, mirrored = _draw_square(face.points, rng, settings)
    points, weights = _place_points(face, matrix, pixels, order if mirrored else slice(None))
    if rng.random() < settings.thermal_share:
        variant = sorted(face.variants)[rng.integers(len(face.variants))]
        image = _show_thermal(face, variant, matrix, pixels * points - 0.5, rng, settings)
    else:
        image = augment_rgb(warp_linear(face.rgb, matrix, pixels, face.shape), rng, settings.photometric_strength)
    if rng.random() < settings.background_share and (foreground := face.foreground) is not None:
        texture = draw_texture(rng, pixels)
        # A thermal crop stays without colours, by which it is told when it is looked at.
        texture = texture.mean(axis=2) if image.ndim == 2 else _as_bytes(texture)
        image = cv2.copyTo(image, warp_nearest(foreground, matrix, pixels), texture)
    elif rng.random() < 0.5:
        # Beyond the image its border goes on, or there is nothing, as where a window reaches over the edge.
        image = cv2.copyTo(image, warp_nearest(np.ones(face.shape, np.uint8), matrix, pixels))
    return Crop(image, points, weights, face, matrix, has_rgb=True)


def _show_thermal(
    face: TrainingFace,
    variant: str,
    matrix: np.ndarray,
    points: np.ndarray,
    rng: np.random.Generator,
    settings: LandmarkSettings,
) -> np.ndarray:
    """A thermal crop as some camera in some place would show it: (P, P) float32 in 0..1."""
    pixels, real_world = settings.image_pixels, settings.real_world

    def person() -> np.ndarray | None:
        return None if (foreground := face.foreground) is None else warp_nearest(foreground, matrix, pixels)

    celsius = warp_linear(face.thermal(variant), matrix, pixels, face.shape)
    celsius = disturb_scene(celsius, points, person, rng, real_world)
    celsius = disturb_optics(celsius, points, rng, real_world)
    shown = augment_thermal(celsius, rng, settings.thermal_strength)
    return disturb_display(shown, points, rng, real_world)


def crop_rgb(crop: Crop, pixels: int, resolution: int) -> np.ndarray:
    """The visible image of a crop's face where the crop lies, as it is, at another resolution.

    Args:
        crop: of a face that has one.
        pixels: edge of the crop that was drawn.
        resolution: edge of the one that is made, R.

    Returns:
        (R, R, 3) uint8; what is beyond the image is black, as in inference.
    """
    matrix = matrix_at(crop.matrix, pixels, resolution)
    visible = warp_linear(crop.face.rgb, matrix, resolution, crop.face.shape)
    return cv2.copyTo(visible, warp_nearest(np.ones(crop.face.shape, np.uint8), matrix, resolution))


def matrix_at(matrix: np.ndarray, pixels: int, resolution: int) -> np.ndarray:
    """The matrix of a crop of ``resolution`` pixels that shows what another shows with ``pixels``: (2, 3).

    Pixel i of a crop is centred at (i + 1/2) / P of its width, so crop position u of either is pixel u P - 1/2.
    """
    scale = pixels / resolution
    return np.column_stack((matrix[:, :2] * scale, matrix[:, 2] + matrix[:, :2].sum(axis=1) * (scale - 1) / 2))


def center_crop(
    face: TrainingFace, variant: str | None, margin: float, pixels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop as inference makes it: upright, centred on the face, not augmented.

    Args:
        face: the face.
        variant: which thermal image; None: RGB.
        margin: edge of the crop over the longer side of the face's box.
        pixels: edge of the crop.

    Returns:
        (pixels, pixels, 3) float32 image in 0..1; points and weights as of ``crop_face``.
    """
    matrix = _square_matrix(face.points, margin, pixels)
    return _render_crop(face, variant, matrix, pixels), *_place_points(face, matrix, pixels, slice(None))


def negative_crops(face: TrainingFace, variant: str | None, pixels: int) -> list[np.ndarray]:
    """Windows of an image that hold at most a corner of the face: a crop's edge left, right, above and below it.

    Returns:
        Four (pixels, pixels, 3) float32 crops in 0..1, of a thermal variant, or of the RGB image for None.
    """
    centred = _square_matrix(face.points, MARGIN, pixels)
    crops = []
    for direction in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        moved = centred.copy()
        moved[:, 2] += centred[0, 0] * pixels * np.array(direction)
        crops.append(_render_crop(face, variant, moved, pixels))
    return crops


def _render_crop(face: TrainingFace, variant: str | None, matrix: np.ndarray, pixels: int) -> np.ndarray:
    if variant is None:
        image = warp_linear(face.rgb, matrix, pixels).astype(np.float32) / 255
    else:
        celsius = warp_linear(face.thermal(variant), matrix, pixels)
        image = np.repeat(augment_thermal(celsius, np.random.default_rng(0), 0.0)[..., None], 3, axis=2)
    return image * warp_nearest(np.ones(face.shape, np.uint8), matrix, pixels)[..., None]


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
    framing = draw_framing(rng, settings.real_world)
    edge = max(float((most - least).max()), 2.0) * margin * framing.zoom
    degrees = rng.uniform(-1, 1) * settings.rotation_degrees
    angle = math.radians(degrees if framing.roll_degrees is None else framing.roll_degrees)
    shear = math.tan(math.radians(rng.uniform(-1, 1) * settings.shear_degrees))
    mirrored = bool(rng.random() < 0.5)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn @ np.array([[-1.0 if mirrored else 1.0, shear], [0.0, 1.0]]) * edge / pixels
    centre = (least + most) / 2 + (rng.normal(0, settings.shift, 2) + framing.shift) * edge
    half = (pixels - 1) / 2
    return np.column_stack((linear, centre - linear @ np.array([half, half]))), mirrored


def _crop_texture(landmarks: int, rng: np.random.Generator, settings: LandmarkSettings) -> Crop:
    image = _as_bytes(draw_texture(rng, settings.image_pixels))
    return Crop(image, rng.random((landmarks, 2), dtype=np.float32), np.ones(landmarks, np.float32))


def _as_bytes(image: np.ndarray) -> np.ndarray:
    """Of 0..1: uint8."""
    return cv2.convertScaleAbs(image, alpha=255)
