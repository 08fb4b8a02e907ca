"""Scenes with 0 to 8 people at any distance, and what they hold beside them, drawn from random numbers alone.

Everything is in °C until a camera looks at it. People are pasted far to near, so that near ones cover far ones; how
much of each face is still seen decides whether it is to be found, may be found or missed, or is not there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from tfake.detector.detector_settings import DetectorSettings
from tfake.detector.scene_people import Cutout, PastedFace, Pose, cut_person
from tfake.detector.views import stretch_scene
from tfake.imaging.augmentation import augment_rgb
from tfake.imaging.real_world import RealWorld, disturb_display
from tfake.imaging.scene_backgrounds import draw_background, smooth_field
from tfake.imaging.scene_objects import SceneObject, draw_object, lay_over
from tfake.imaging.textures import draw_texture
from tfake.imaging.thermal_augmentation import augment_thermal
from tfake.training.training_faces import TrainingFace

# Fractions of a face's box that are in the scene, and not covered: to be found from the former on, nothing below the
# latter, and between them the answer is not asked for.
_INSIDE, _UNCOVERED = (0.6, 0.2), (0.6, 0.2)
# Faces of a portrait, over the scene's shorter edge; and how often a scene of one person is one.
_PORTRAIT, _PORTRAIT_SHARE = (0.4, 1.12), 0.45
# Pixels that a camera has at least across the smallest face.
_NATIVE_PIXELS = 6.5


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, as the network sees it, and its faces.

    Attributes:
        image: (H, W) float32 in 0..1, or (H, W, 3) uint8.
        faces: those that are to be found.
        unsure: those that may be found or missed.
    """

    image: np.ndarray
    faces: list[PastedFace]
    unsure: list[PastedFace]


@dataclass
class _Canvas:
    """A scene in the making: °C or colours, and who is seen at each pixel."""

    image: np.ndarray
    owner: np.ndarray
    faces: list[PastedFace] = field(default_factory=list)

    def paste(self, person: Cutout) -> None:
        share = person.share if self.image.ndim == 2 else person.share[..., None]
        self.image = (self.image + share * (person.image - self.image)).astype(np.float32)
        self.owner[person.share > 0.5] = len(self.faces)
        self.faces.append(person.face)

    def cover(self, thing: SceneObject) -> None:
        self.image = lay_over(self.image, thing)
        self.owner[thing.share > 0.5] = -1


class SceneMaker:
    """Draws scenes from people; each follows from its random generator alone."""

    def __init__(
        self, faces: Sequence[TrainingFace], settings: DetectorSettings, real: Sequence[TrainingFace] = ()
    ) -> None:
        """Keep people and settings.

        Args:
            faces: people with 70 points, class maps, thermal and visible images.
            settings: of the run.
            real: real faces with 70 points, in thermal pictures of their own.

        Raises:
            ValueError: there are no people.
        """
        if not len(faces):
            raise ValueError("there are no faces to make scenes from")
        self._faces, self._real, self._settings = faces, real, settings
        self._display = RealWorld(settings.real_world_strength)

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Scene:
        """Draw a scene of a shape (H, W)."""
        settings = self._settings
        is_rgb = rng.random() < settings.rgb_share
        coarse = 1.0 if is_rgb or rng.random() < 0.4 else math.exp(rng.uniform(0, math.log(3)))
        sizes = self._draw_sizes(rng, shape, max(settings.least_face_pixels, coarse * _NATIVE_PIXELS))
        if is_rgb:
            image = 255 * cv2.resize(draw_texture(rng, max(shape)), shape[::-1], interpolation=cv2.INTER_AREA)
        else:
            image = draw_background(rng, shape)
        canvas = _Canvas(image, np.full(shape, -1))
        # A few things behind people, and seldom one before them.
        behind = 0 if is_rgb else rng.poisson(settings.objects * (1.0 if sizes else 2.0))
        for _ in range(behind):
            canvas.cover(draw_object(rng, shape))
        if not is_rgb and len(self._real) and len(sizes) and rng.random() < settings.real_share:
            self._paste_real(canvas, rng)
            sizes = [size for size in sizes[1:] if size < canvas.faces[0].size] if rng.random() < 0.3 else []
        for size in sizes:
            canvas.paste(self._draw_person(rng, size, shape, is_rgb))
        if not is_rgb and rng.random() < 0.2:
            canvas.cover(draw_object(rng, shape, ("arm", "kettle", "radiator")))
        faces, unsure = _seen(canvas, settings.least_face_pixels)
        if is_rgb:
            shown = np.clip(np.rint(canvas.image), 0, 255).astype(np.uint8)
            return Scene(augment_rgb(shown, rng, settings.photometric_strength), faces, unsure)
        shown = show_scene(canvas.image, faces, rng, coarse, settings.thermal_strength, self._display)
        return Scene(shown, faces, unsure)

    def _draw_sizes(self, rng: np.random.Generator, shape: tuple[int, int], least: float) -> list[float]:
        """Sizes of a scene's faces in pixels, far to near; none of an empty scene."""
        settings, edge = self._settings, min(shape)
        if rng.random() < settings.empty_share:
            return []
        if rng.random() < 0.55 or settings.most_people == 1:
            if rng.random() < _PORTRAIT_SHARE:
                return [edge * rng.uniform(*_PORTRAIT)]
            count, most = 1, 0.6 * edge
        else:
            count = 2 + min(int(rng.geometric(0.35)) - 1, settings.most_people - 2)
            most = 0.6 * edge / math.sqrt(count / 2)
        # Those of one scene are not all sizes at once: a crowd is far away, a group is near.
        middle = rng.uniform(math.log(least), math.log(max(most, 1.2 * least)))
        logarithms = rng.normal(middle, 0.25 if rng.random() < 0.7 else 0.6, count)
        return sorted(np.exp(np.clip(logarithms, math.log(least), math.log(max(most, least)))).tolist())

    def _draw_person(self, rng: np.random.Generator, size: float, shape: tuple[int, int], is_rgb: bool) -> Cutout:
        face = self._faces[int(rng.integers(len(self._faces)))]
        variant = None if is_rgb else sorted(face.variants)[rng.integers(len(face.variants))]
        height, width = shape
        # The larger a face, the nearer its middle lies to the picture's.
        slack = 0.5 * np.maximum(np.array((width, height)) - 0.6 * size, 0.1 * size)
        middle = np.array((width, height)) / 2 + rng.uniform(-1, 1, 2) * slack
        degrees = rng.uniform(-45, 45) if rng.random() < 0.15 else rng.normal(0, 8)
        pose = Pose((float(middle[0]), float(middle[1])), size, float(degrees), bool(rng.random() < 0.5))
        person = cut_person(face, variant, pose, shape, to_floor=rng.random() < 0.9)
        if is_rgb:
            return person._replace(image=person.image.astype(np.float32))
        # People differ, and their clothes even more.
        contrast, level = math.exp(rng.normal(0, 0.2)), np.float32(34 + rng.normal(0, 1))
        celsius = level + np.float32(contrast) * (person.image - 34) + smooth_field(rng, shape, 0.3, 5)
        return person._replace(image=celsius + _dress(rng, shape, person.face))

    def _paste_real(self, canvas: _Canvas, rng: np.random.Generator) -> None:
        """A real picture, as large as the scene, or a part of it."""
        face = self._real[int(rng.integers(len(self._real)))]
        shape = canvas.image.shape
        ratio = min(shape) / min(face.shape)
        own = float(np.sqrt(np.prod(np.ptp(face.points, axis=0))))
        # From a third of the scene on to one that is beyond its edges.
        size = min(own * ratio * math.exp(rng.uniform(math.log(0.35), math.log(1.35))), 1.12 * min(shape))
        size = max(size, self._settings.least_face_pixels)
        slack = 0.5 * np.maximum(np.array(shape[::-1]) - 0.9 * size, 0.1 * size)
        middle = np.array(shape[::-1]) / 2 + rng.uniform(-1, 1, 2) * slack
        pose = Pose((float(middle[0]), float(middle[1])), size, rng.normal(0, 8), bool(rng.random() < 0.5))
        variant = face.variants[0]
        if rng.random() < 0.5:
            # The scene goes on about as warm as the picture's border is.
            canvas.image = canvas.image - np.median(canvas.image) + np.median(_border(face.thermal(variant)[0]))
        canvas.paste(cut_person(face, variant, pose, shape, to_floor=False))


def show_scene(
    celsius: np.ndarray,
    faces: Sequence[PastedFace],
    rng: np.random.Generator,
    coarse: float,
    thermal_strength: float,
    display: RealWorld,
) -> np.ndarray:
    """What a camera makes of a scene: blur, few pixels, noise, gain, marks; then as the detector stretches it.

    Args:
        celsius: (H, W) float32 °C.
        faces: of the scene; what the gain is set by is one of them.
        rng: random numbers.
        coarse: pixels of the scene a pixel of the camera, at least 1.
        thermal_strength: how much the display is varied.
        display: how often it saturates, inverts, or draws digits.

    Returns:
        (H, W) float32 in 0..1.
    """
    shape = celsius.shape
    if rng.random() < 0.5:
        celsius = cv2.GaussianBlur(celsius, (0, 0), rng.uniform(0.3, 1.0) * coarse)
    small = tuple(max(8, round(edge / coarse)) for edge in shape[::-1])
    if coarse > 1:
        celsius = cv2.resize(celsius, small, interpolation=cv2.INTER_AREA)
    noise = math.exp(rng.uniform(math.log(0.02), math.log(0.5)))
    celsius = celsius + rng.normal(0, noise, celsius.shape).astype(np.float32)
    if rng.random() < 0.2:
        celsius = celsius + rng.normal(0, 2 * noise, (1, celsius.shape[1])).astype(np.float32)
    if rng.random() < 0.3:
        celsius = celsius + _vignette(celsius.shape, rng.normal(0, 1.5))
    celsius = cv2.resize(celsius.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    shown = augment_thermal(celsius, rng, thermal_strength)
    if faces:
        box = faces[rng.integers(len(faces))].box
    else:
        box = np.concatenate([np.sort(rng.uniform(0, edge, 2)) for edge in shape[::-1]]).reshape(2, 2).T.ravel()
    return stretch_scene(disturb_display(shown, box.reshape(2, 2), rng, display))


def _dress(rng: np.random.Generator, shape: tuple[int, int], face: PastedFace) -> np.ndarray:
    """What a person's clothes add below the chin, in K: up to as warm as a face, with folds; (H, W) float32."""
    chin, fade = float(face.box[3]) + 0.25 * face.size, max(1.0, 0.15 * face.size)
    below = np.clip((np.arange(shape[0], dtype=np.float32) - chin) / fade, 0, 1)[:, None]
    folds = smooth_field(rng, shape, rng.uniform(0.2, 1.5), int(rng.integers(5, 40)))
    return below * (np.float32(rng.uniform(-3, 7)) + folds)


def _border(picture: np.ndarray) -> np.ndarray:
    return np.concatenate((picture[0], picture[:, 0], picture[:, -1]))


def _vignette(shape: tuple[int, ...], kelvin: float) -> np.ndarray:
    """Corners that are some kelvin warmer or colder than the middle."""
    y, x = (np.linspace(-1, 1, edge, dtype=np.float32) for edge in shape)
    return np.float32(kelvin / 2) * (y[:, None] ** 2 + x**2)


def _seen(canvas: _Canvas, least_pixels: float) -> tuple[list[PastedFace], list[PastedFace]]:
    """The faces that are to be found, and those that may be."""
    faces: list[PastedFace] = []
    unsure: list[PastedFace] = []
    height, width = canvas.owner.shape
    for number, face in enumerate(canvas.faces):
        left, top, right, bottom = face.box
        x, y = max(0, math.floor(left + 0.5)), max(0, math.floor(top + 0.5))
        part = canvas.owner[y : max(0, math.ceil(bottom + 0.5)), x : max(0, math.ceil(right + 0.5))]
        if not part.size:
            continue
        area = float((right - left) * (bottom - top))
        across = min(right, width - 0.5) - max(left, -0.5)
        down = min(bottom, height - 0.5) - max(top, -0.5)
        inside, uncovered = across * down / area, float((part == number).mean())
        middle = (face.box[:2] + face.box[2:]) / 2
        is_in = bool(((middle >= 0) & (middle <= np.array((width, height)) - 1)).all())
        # A face's points fill three quarters of their box.
        if is_in and inside >= _INSIDE[0] and uncovered >= _UNCOVERED[0] and face.size >= 0.95 * least_pixels:
            faces.append(face)
        elif inside >= _INSIDE[1] and uncovered >= _UNCOVERED[1]:
            unsure.append(face)
    return faces, unsure
