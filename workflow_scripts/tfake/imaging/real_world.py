"""What real thermal pictures have and rendered ones lack: a settings object, and how each happens to a crop.

Where a crop is cut (:func:`draw_framing`), what is in the scene beside and before the face (:func:`disturb_scene`, in
°C), and what camera and display make of it (:func:`disturb_optics` before, :func:`disturb_display` after temperatures
have become brightness). Nothing here moves a point.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import cv2
import numpy as np


@dataclass(frozen=True)
class RealWorld:
    """How often each happens to a thermal crop, at strength 1.

    Attributes:
        strength: factor on all of the others; 0: nothing ever happens.
        rolled: the head is turned in the image plane, up to 45 degrees.
        cut: the crop's edge cuts the face.
        warm_background: walls, or sky, about as warm as the face, or warmer.
        hot_object: a lamp, a kettle or a black body, or a cold one: a disc or a bar with a plain edge.
        occluder: a hand before the face, as warm as it is, or a scarf or a cup that is not.
        blurred: a lens out of focus.
        tiny: a face of 12 to 30 pixels.
        saturated: a gain that makes most of the face white.
        overlaid: digits, crosses and frames that the camera draws into the picture.
        inverted: hot is black.
    """

    strength: float = 1.0
    rolled: float = 0.25
    cut: float = 0.2
    warm_background: float = 0.12
    hot_object: float = 0.15
    occluder: float = 0.15
    blurred: float = 0.25
    tiny: float = 0.25
    saturated: float = 0.2
    overlaid: float = 0.15
    inverted: float = 0.05

    def __post_init__(self) -> None:
        """Raise a ValueError for what is no strength or probability."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not (value >= 0 and (field.name == "strength" or value <= 1)):
                raise ValueError(f"{field.name} must be at least 0, probabilities at most 1; found {value!r}")

    def happens(self, name: str, rng: np.random.Generator) -> bool:
        """Whether the thing of a name happens this time; nothing is drawn at strength 0."""
        chance = self.strength * getattr(self, name)
        return chance > 0 and rng.random() < chance


#: Largest turn of a rolled head.
ROLL_DEGREES = 45.0
#: Edge of the closest crop over that of any other.
LEAST_ZOOM = 0.85
_TINY_PIXELS = (12.0, 30.0)
# A lens' blur, standard deviation over the face's size.
_BLUR = (0.015, 0.06)
# How much of the face is not yet white.
_UNSATURATED_PERCENT = (10, 60)


class Framing(NamedTuple):
    """What a crop's placement is changed by.

    Attributes:
        roll_degrees: its rotation; None: that of any other crop.
        zoom: factor of its edge: below 1 the face reaches over it.
        shift: (x, y) added to its centre, in edges.
    """

    roll_degrees: float | None = None
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)


def draw_framing(rng: np.random.Generator, settings: RealWorld) -> Framing:
    """Draw how a head is rolled, and where a crop cuts its face: a fifth at most on one side, or a tenth all around."""
    roll = rng.uniform(-ROLL_DEGREES, ROLL_DEGREES) if settings.happens("rolled", rng) else None
    if not settings.happens("cut", rng):
        return Framing(roll)
    angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.05, 0.2)
    return Framing(roll, rng.uniform(LEAST_ZOOM, 1.0), (reach * math.cos(angle), reach * math.sin(angle)))


def disturb_scene(
    celsius: np.ndarray,
    points: np.ndarray,
    foreground: Callable[[], np.ndarray | None],
    rng: np.random.Generator,
    settings: RealWorld,
) -> np.ndarray:
    """Put things beside, behind and before a face.

    Args:
        celsius: (P, P) float32 °C.
        points: (L, 2) the face's points, pixels.
        foreground: asked for (P, P), 1 where the person is, if there is to be another background; None where nobody
            knows, and there is none.
        rng: the random generator.
        settings: what happens how often.

    Returns:
        (P, P) float32 °C; the very array where nothing happens.
    """
    middle, size = (points.min(axis=0) + points.max(axis=0)) / 2, face_size(points)
    face = _temperatures(celsius, points)
    if settings.happens("warm_background", rng) and (person := foreground()) is not None:
        celsius = _behind(celsius, person.astype(np.float32), face, rng)
    if settings.happens("hot_object", rng):
        place = middle + size * rng.uniform(0.55, 1.3) * _direction(rng)
        draw = _bar if rng.random() < 0.3 else _ellipse
        shape = draw(rng, celsius.shape, place, size)
        hot = rng.uniform(2, 60) if rng.random() < 0.75 else rng.uniform(-25, -5)
        celsius = _blend(celsius, np.float32(np.median(face) + hot), shape)
    if settings.happens("occluder", rng):
        # It covers an edge of the face: what covers its middle hides where the face is.
        place = middle + size * rng.uniform(0.25, 0.6) * _direction(rng)
        shape = _blob(rng, celsius.shape, place, size * rng.uniform(0.2, 0.4))
        warmth = rng.uniform(-2, 1) if rng.random() < 0.5 else rng.uniform(-12, -2)
        celsius = _blend(celsius, np.float32(np.median(face) + warmth) + _waves(rng, celsius.shape), shape)
    return celsius


def disturb_optics(image: np.ndarray, points: np.ndarray, rng: np.random.Generator, settings: RealWorld) -> np.ndarray:
    """See a scene through a bad lens, or from far away: (P, P) float32 and (L, 2) points in pixels to (P, P)."""
    size = face_size(points)
    if settings.happens("blurred", rng):
        image = cv2.GaussianBlur(image, (0, 0), max(0.3, size * rng.uniform(*_BLUR)))
    if settings.happens("tiny", rng):
        edge = image.shape[0]
        small = round(edge * math.exp(rng.uniform(*np.log(_TINY_PIXELS))) / size)
        if small < edge:
            image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
            image = cv2.resize(image, (edge, edge), interpolation=cv2.INTER_LINEAR)
    return image


def disturb_display(shown: np.ndarray, points: np.ndarray, rng: np.random.Generator, settings: RealWorld) -> np.ndarray:
    """Show a picture with too much gain, with the camera's own marks, or inverted.

    Args:
        shown: (P, P) float32 in 0..1.
        points: (L, 2) the face's points, pixels.
        rng: the random generator.
        settings: what happens how often.

    Returns:
        (P, P) float32 in 0..1.
    """
    if settings.happens("saturated", rng):
        white = float(np.percentile(_temperatures(shown, points), rng.uniform(*_UNSATURATED_PERCENT)))
        black = min(float(shown.min()), white - 0.05)
        shown = np.clip((shown - black) / (white - black), 0, 1).astype(np.float32)
    if settings.happens("inverted", rng):
        shown = 1 - shown
    return _overlay(shown, rng) if settings.happens("overlaid", rng) else shown


def face_size(points: np.ndarray) -> float:
    """sqrt(w h) of the box around (L, 2) points, at least a pixel."""
    return max(1.0, float(np.sqrt(np.prod(np.ptp(points, axis=0)))))


def _temperatures(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The values in the box of the points that are in the image; of the whole image where none is."""
    low = np.clip(np.floor(points.min(axis=0)), 0, np.array(image.shape[::-1]) - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), 0, np.array(image.shape[::-1]) - 1).astype(int)
    return image[low[1] : high[1] + 1, low[0] : high[0] + 1]


def _direction(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * math.pi)
    return np.array((math.cos(angle), math.sin(angle)))


def _behind(celsius: np.ndarray, person: np.ndarray, face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another background, as warm as the face or up to six degrees warmer, with something of a texture."""
    wall = np.float32(np.median(face) + rng.uniform(-1, 6)) + _waves(rng, celsius.shape)
    return _blend(celsius, wall, 1 - cv2.GaussianBlur(person, (0, 0), 0.7))


def _waves(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A soft pattern of half a kelvin."""
    coarse = rng.normal(0, 0.5, (4, 4)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _blend(image: np.ndarray, other: np.ndarray | np.float32, share: np.ndarray) -> np.ndarray:
    return (image + share * (other - image)).astype(np.float32)


def _ellipse(rng: np.random.Generator, shape: tuple[int, ...], place: np.ndarray, size: float) -> np.ndarray:
    canvas = np.zeros(shape, np.float32)
    axes = size * rng.uniform(0.06, 0.35) * np.array((1.0, rng.uniform(0.6, 1.0)))
    angle = rng.uniform(0, 180)
    cv2.ellipse(canvas, (_whole(place), _whole(2 * axes), angle), 1.0, -1)
    return cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 1.2))


def _bar(rng: np.random.Generator, shape: tuple[int, ...], place: np.ndarray, size: float) -> np.ndarray:
    canvas = np.zeros(shape, np.float32)
    along = _direction(rng) * size * rng.uniform(0.3, 2)
    ends = [tuple(round(value) for value in place + sign * along) for sign in (-1, 1)]
    cv2.line(canvas, *ends, 1.0, max(1, round(size * rng.uniform(0.03, 0.2))))
    return cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 1.0))


def _blob(rng: np.random.Generator, shape: tuple[int, ...], place: np.ndarray, radius: float) -> np.ndarray:
    """A filled shape without corners: a circle whose radius wanders by a third."""
    angles = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    wander = sum(rng.uniform(0, 0.17) * np.cos(n * angles + rng.uniform(0, 2 * math.pi)) for n in (1, 2, 3))
    outline = place + radius * (1 + wander)[:, None] * np.column_stack((np.cos(angles), np.sin(angles)))
    canvas = np.zeros(shape, np.float32)
    cv2.fillPoly(canvas, [np.round(outline).astype(np.int32)], 1.0)
    return cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 1.5))


def _overlay(shown: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Digits, a cross or a frame, in black or white, as sharp as the display is."""
    drawn, edge = np.array(shown, np.float32), shown.shape[0]
    for _ in range(rng.integers(1, 4)):
        value, place = float(rng.random() < 0.7), rng.uniform(0, edge, 2)
        match rng.integers(3):
            case 0:
                scale = edge / 64 * rng.uniform(0.25, 0.6)
                text = f"{rng.uniform(10, 45):.{rng.integers(0, 2)}f}"
                cv2.putText(drawn, text, _corner(place), cv2.FONT_HERSHEY_SIMPLEX, scale, value, 1, cv2.LINE_AA)
            case 1:
                arm = max(2, round(edge * rng.uniform(0.03, 0.12)))
                cv2.drawMarker(drawn, _corner(place), value, cv2.MARKER_CROSS, 2 * arm, 1)
            case _:
                other = place + rng.uniform(0.1, 0.8, 2) * edge
                cv2.rectangle(drawn, _corner(place), _corner(other), value, 1)
    return np.clip(drawn, 0, 1)


def _whole(pair: np.ndarray) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


def _corner(place: np.ndarray) -> tuple[int, int]:
    return round(place[0]), round(place[1])
