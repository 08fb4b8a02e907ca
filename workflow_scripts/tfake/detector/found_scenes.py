"""Scenes made of one camera's pictures, in which a detector has found faces: labels that nobody made.

What it is sure of is a face, what it doubts is not asked for, and the rest is none. Pictures are shown at other sizes,
turned and mirrored, one alone or four side by side, so that near faces teach far ones, and people alone teach groups;
then a camera looks at them as at every scene of a training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tfake.detector.detector_network import NetworkMaps
from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.detector_training import SceneBatch, batch_scenes, draw_shape
from tfake.detector.face_detector import LOOKS, ScoreCalibration, find_faces
from tfake.detector.face_maps import FIVE_MIRRORED, DetectedFaces
from tfake.detector.scene_people import PastedFace
from tfake.detector.scenes import Scene, show_scene
from tfake.detector.views import stretch_scene
from tfake.imaging.real_world import RealWorld
from tfake.training.rng import RngStream

#: A probability from which on what was found is a face, and one below which it is none.
SURE, DOUBTED = 0.6, 0.05
# Scenes of four pictures; pixels of a scene a pixel of the picture, for one and for four.
_FOUR_SHARE, _ZOOM_ONE, _ZOOM_FOUR = 0.5, (0.9, 3.0), (0.6, 1.8)
# Standard deviation of a picture's turn.
_TURN_DEGREES = 6.0
# Of a face at the scene's edge, this much of the box has to be in it.
_INSIDE = 0.6
# What black and white of a picture are taken for, °C: a scene's contrast is stretched in the end.
_BLACK_CELSIUS, _CONTRAST_KELVIN = 20.0, 15.0


@dataclass(frozen=True, eq=False)
class FoundPicture:
    """A picture and what was found in it.

    Attributes:
        celsius: (H, W) float32, its contrast spread over 15 K.
        found: faces in pixels of the picture.
        confidence: (F,) float32, the probability of each.
    """

    celsius: np.ndarray
    found: DetectedFaces
    confidence: np.ndarray

    @property
    def sure(self) -> int:
        """How many are faces."""
        return int((self.confidence >= SURE).sum())


def look_at(maps: NetworkMaps, scores: ScoreCalibration, picture: np.ndarray) -> FoundPicture:
    """Search a picture by all of ``LOOKS``: (H, W, 3) float32 in 0..1, without colours."""
    teacher = NetworkMaps(maps.network, maps.device, len(LOOKS))
    found = find_faces(teacher, picture, scores.logit_of(DOUBTED))
    celsius = _BLACK_CELSIUS + _CONTRAST_KELVIN * stretch_scene(picture[..., 0])
    return FoundPicture(celsius.astype(np.float32), found, scores.confidence(found.logits))


class FoundScenes:
    """Batches of scenes; each follows from the seed, its step and its place."""

    def __init__(self, pictures: Sequence[FoundPicture], settings: DetectorSettings) -> None:
        """Keep pictures, and the settings of the run.

        Raises:
            ValueError: there are no pictures.
        """
        if not pictures:
            raise ValueError("there are no pictures to make scenes from")
        self._pictures, self._settings = pictures, settings
        self._display = RealWorld(settings.real_world_strength)

    def batch(self, step: int) -> SceneBatch:
        """The scenes of a step."""
        settings = self._settings
        shape = draw_shape(settings, RngStream.SCENES, step)
        return batch_scenes(
            [
                self._draw(np.random.default_rng([settings.seed, RngStream.SCENES, step, place]), shape)
                for place in range(settings.batch)
            ]
        )

    def _draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Scene:
        if rng.random() < _FOUR_SHARE:
            celsius, faces, unsure = self._lay_four(rng, shape)
        else:
            celsius, faces, unsure = self._lay(rng, shape, _ZOOM_ONE)
        coarse = 1.0 if rng.random() < 0.5 else float(np.exp(rng.uniform(0, np.log(2))))
        shown = show_scene(celsius, faces, rng, coarse, self._settings.thermal_strength, self._display)
        return Scene(shown, faces, unsure)

    def _lay_four(
        self, rng: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[np.ndarray, list[PastedFace], list[PastedFace]]:
        """Four pictures around a corner in the scene's middle part."""
        celsius = np.empty(shape, np.float32)
        row, column = (int(edge * rng.uniform(0.35, 0.65)) for edge in shape)
        faces: list[PastedFace] = []
        unsure: list[PastedFace] = []
        for top, bottom in ((0, row), (row, shape[0])):
            for left, right in ((0, column), (column, shape[1])):
                part = self._lay(rng, (bottom - top, right - left), _ZOOM_FOUR)
                celsius[top:bottom, left:right] = part[0]
                faces += [_moved(face, left, top) for face in part[1]]
                unsure += [_moved(face, left, top) for face in part[2]]
        return celsius, faces, unsure

    def _lay(
        self, rng: np.random.Generator, shape: tuple[int, int], zooms: tuple[float, float]
    ) -> tuple[np.ndarray, list[PastedFace], list[PastedFace]]:
        """One picture at some size, turned and mirrored: (H, W) °C, its faces, and what may be one."""
        picture = self._pictures[int(rng.integers(len(self._pictures)))]
        zoom, mirrored = float(np.exp(rng.uniform(*np.log(zooms)))), bool(rng.random() < 0.5)
        angle = np.radians(rng.normal(0, _TURN_DEGREES))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = zoom * turn @ np.diag((-1.0 if mirrored else 1.0, 1.0))
        edges, own = np.array(shape[::-1]), np.array(picture.celsius.shape[::-1])
        middle = edges / 2 + rng.uniform(-1, 1, 2) * np.abs(zoom * own - edges) / 2
        to_scene = np.column_stack((linear, middle - linear @ ((own - 1) / 2)))
        method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        celsius = cv2.warpAffine(picture.celsius, to_scene, shape[::-1], flags=method, borderMode=cv2.BORDER_REPLICATE)
        faces: list[PastedFace] = []
        unsure: list[PastedFace] = []
        for box, five, confidence in zip(picture.found.boxes, picture.found.five, picture.confidence, strict=True):
            face = _carry(box, five, to_scene, zoom, mirrored)
            inside = np.minimum(face.box[2:], edges - 0.5) - np.maximum(face.box[:2], -0.5)
            if (inside <= 0).any():
                continue
            whole = inside.prod() >= _INSIDE * face.size**2
            large = face.size >= 0.95 * self._settings.least_face_pixels
            (faces if confidence >= SURE and whole and large else unsure).append(face)
        return celsius, faces, unsure


def _carry(box: np.ndarray, five: np.ndarray, to_scene: np.ndarray, zoom: float, mirrored: bool) -> PastedFace:
    """A face in a scene: its box stays upright, as those are that a detector learns."""
    middle = to_scene[:, :2] @ ((box[:2] + box[2:]) / 2) + to_scene[:, 2]
    half = zoom * (box[2:] - box[:2]) / 2
    points = five @ to_scene[:, :2].T + to_scene[:, 2]
    return PastedFace(
        np.concatenate((middle - half, middle + half)).astype(np.float32),
        (points[list(FIVE_MIRRORED)] if mirrored else points).astype(np.float32),
    )


def _moved(face: PastedFace, x: int, y: int) -> PastedFace:
    corner = np.array((x, y), np.float32)
    return PastedFace(face.box + np.tile(corner, 2), face.five + corner)
