"""People cut out of their pictures for a scene: at any size, turned and mirrored, and continued to its lower edge."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from tfake.detector.face_maps import FIVE_MIRRORED
from tfake.imaging.crops import choose_level
from tfake.imaging.real_world import face_size
from tfake.training.training_faces import TrainingFace

#: Of the 70 points: image-left and image-right pupil, nose, image-left and image-right corner of the mouth.
FIVE_OF_70 = (68, 69, 30, 48, 54)


class Pose(NamedTuple):
    """Where and how a face lies in a scene.

    Attributes:
        middle: (x, y) pixels of the middle of its points' box.
        size: sqrt(w h) of that box, before it is turned.
        degrees: how far it is turned.
        mirrored: whether left and right are exchanged.
    """

    middle: tuple[float, float]
    size: float
    degrees: float
    mirrored: bool


@dataclass(frozen=True, eq=False)
class PastedFace:
    """A face in a scene.

    Attributes:
        box: (4,) left, top, right, bottom of its 70 points, pixels, pixel centres at integers.
        five: (5, 2) its five points, pixels.
    """

    box: np.ndarray
    five: np.ndarray

    @property
    def size(self) -> float:
        """sqrt(w h) of the box."""
        return float(np.sqrt(np.prod(self.box[2:] - self.box[:2])))


class Cutout(NamedTuple):
    """A person on the way into a scene.

    Attributes:
        image: (H, W) float32 °C, or (H, W, 3) uint8.
        share: (H, W) float32 in 0..1, where the person is.
        face: where the face is.
    """

    image: np.ndarray
    share: np.ndarray
    face: PastedFace


def cut_person(face: TrainingFace, variant: str | None, pose: Pose, shape: tuple[int, int], to_floor: bool) -> Cutout:
    """Cut a person out and move it to where a pose says.

    Args:
        face: the person; one whose foreground is not known is taken with the whole picture, which fades at its edges.
        variant: which thermal image; None: the visible one.
        pose: where to.
        shape: (H, W) of the scene.
        to_floor: whether a bust that ends with its picture is continued downwards.

    Returns:
        The person, at the scene's size.
    """
    least, most = face.points.min(axis=0), face.points.max(axis=0)
    zoom = pose.size / face_size(face.points)
    angle = math.radians(pose.degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = zoom * turn @ np.diag((-1.0 if pose.mirrored else 1.0, 1.0))
    to_scene = np.column_stack((linear, np.array(pose.middle) - linear @ ((least + most) / 2)))
    points = face.points @ linear.T + to_scene[:, 2]
    five = points[list(FIVE_OF_70)]
    pasted = PastedFace(
        np.concatenate((points.min(axis=0), points.max(axis=0))).astype(np.float32),
        (five[list(FIVE_MIRRORED)] if pose.mirrored else five).astype(np.float32),
    )
    levels = face.rgb if variant is None else face.thermal(variant)
    first_per_pixel = levels[0].shape[0] / face.shape[0] / zoom
    image = levels[min(len(levels) - 1, choose_level(first_per_pixel))]
    rows = math.ceil(2 * shape[0] / zoom * image.shape[0] / face.shape[0]) if to_floor else 0
    mask = _mask(face, image.shape[:2], rows)
    level_to_scene = _from_level(to_scene, image.shape[:2], face.shape)
    moved = cv2.warpAffine(image, level_to_scene, shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(mask, level_to_scene, shape[::-1], flags=cv2.INTER_LINEAR, borderValue=0)
    return Cutout(moved, share.astype(np.float32) / 255, pasted)


def _mask(face: TrainingFace, shape: tuple[int, int], rows: int) -> np.ndarray:
    """(h + rows, w) uint8, 255 where the person is, its last row continued downwards."""
    foreground = face.foreground
    if foreground is None:
        # Nobody knows: the picture itself, which fades at its edges.
        ramps = [np.clip((np.minimum(np.arange(n), np.arange(n)[::-1]) + 1) / (0.03 * n), 0, 1) for n in shape]
        return (255 * np.minimum.outer(*ramps)).astype(np.uint8)
    # Class maps have steps of a pixel, which a large face would show.
    mask = cv2.resize(cv2.GaussianBlur(255 * foreground, (0, 0), 0.8), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.pad(mask, ((0, rows), (0, 0)), mode="edge") if rows else mask


def _from_level(to_scene: np.ndarray, level: tuple[int, ...], shape: tuple[int, int]) -> np.ndarray:
    """The map from pixels of a coarser level to the scene; integer coordinates are pixel centres."""
    scale = np.array((shape[1] / level[1], shape[0] / level[0]))
    linear = to_scene[:, :2] * scale
    return np.column_stack((linear, to_scene[:, 2] + to_scene[:, :2] @ (0.5 * scale - 0.5)))
