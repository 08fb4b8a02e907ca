"""Warm and cold things that a thermal scene holds beside people, and that a face is told from.

Lamps, kettles, radiators, monitors, windows, black bodies, trunks, arms with hands, animals, and the backs of heads:
each is drawn as how much of every pixel it covers, and how warm it is there.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from tfake.imaging.scene_backgrounds import smooth_field


class SceneObject(NamedTuple):
    """A thing of a scene.

    Attributes:
        share: (H, W) float32 in 0..1, how much of each pixel it covers.
        celsius: (H, W) float32 °C where it does.
    """

    share: np.ndarray
    celsius: np.ndarray


def draw_object(rng: np.random.Generator, shape: tuple[int, int], names: tuple[str, ...] | None = None) -> SceneObject:
    """Draw one thing anywhere in a scene.

    Args:
        rng: the random generator.
        shape: (H, W) of the scene.
        names: which of ``OBJECTS`` it may be; None: any.
    """
    chosen = tuple(OBJECTS) if names is None else names
    name = chosen[rng.choice(len(chosen), p=_SHARES if names is None else None)]
    return OBJECTS[name](rng, shape)


def lay_over(celsius: np.ndarray, thing: SceneObject) -> np.ndarray:
    """A scene, (H, W) float32 °C, with a thing before it."""
    return celsius + thing.share * (thing.celsius - celsius)


def _place(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.uniform(-0.05, 1.05, 2) * shape[::-1]


def _size(rng: np.random.Generator, shape: tuple[int, int], least: float, most: float) -> float:
    """Log-uniform between fractions of the scene's shorter edge, in pixels."""
    return min(shape) * math.exp(rng.uniform(math.log(least), math.log(most)))


def _turn(degrees: float) -> np.ndarray:
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _finish(rng: np.random.Generator, canvas: np.ndarray, celsius: float, waves: float = 0.5) -> SceneObject:
    share = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 1.2))
    return SceneObject(share, np.float32(celsius) + smooth_field(rng, canvas.shape, waves, 6))


def _ellipse(canvas: np.ndarray, middle: np.ndarray, axes: tuple[float, float], degrees: float, value: float) -> None:
    box = ((float(middle[0]), float(middle[1])), (2 * float(axes[0]), 2 * float(axes[1])), degrees)
    cv2.ellipse(canvas, box, value, -1)


def _polygon(canvas: np.ndarray, corners: np.ndarray, value: float = 1.0) -> None:
    cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], value)


def _capsule(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, radii: tuple[float, float], value: float) -> None:
    """A limb that tapers from one radius to another, with round ends."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    across = np.array((-along[1], along[0]))
    sides = [start + across * radii[0], end + across * radii[1], end - across * radii[1], start - across * radii[0]]
    _polygon(canvas, np.array(sides), value)
    for middle, radius in ((start, radii[0]), (end, radii[1])):
        _ellipse(canvas, middle, (radius, radius), 0, value)


def _lamp(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    canvas, size = np.zeros(shape, np.float32), _size(rng, shape, 0.01, 0.15)
    _ellipse(canvas, _place(rng, shape), (size, size * rng.uniform(0.4, 1)), rng.uniform(0, 180), 1.0)
    return _finish(rng, canvas, rng.uniform(36, 110))


def _kettle(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """A cup, a kettle or a bottle, hot or cold: a body, a lid and a handle."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.03, 0.25), _place(rng, shape)
    low, high = size * rng.uniform(0.6, 1.1), size * rng.uniform(0.4, 1)
    _polygon(canvas, middle + np.array(((-high, -size), (high, -size), (low, size), (-low, size))))
    _ellipse(canvas, middle - (0, size), (high, size * rng.uniform(0.1, 0.6)), 0, 1.0)
    side = rng.choice((-1, 1))
    handle = middle + (side * low, 0)
    box = ((float(handle[0]), float(handle[1])), (size * 0.9, size * 1.2), 0.0)
    cv2.ellipse(canvas, box, 1.0, max(1, round(size * 0.15)))
    return _finish(rng, canvas, rng.uniform(34, 95) if rng.random() < 0.75 else rng.uniform(2, 15), 1.5)


def _radiator(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """Bars side by side, or one: radiators, tubes, cables, table legs."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.1, 0.6), _place(rng, shape)
    turn = _turn(rng.uniform(0, 180) if rng.random() < 0.4 else 90 * rng.integers(2) + rng.normal(0, 3))
    count, thick = int(rng.choice((1, 1, 2, 5, 9))), max(1, round(size * rng.uniform(0.02, 0.1)))
    for number in range(count):
        offset = (number - count / 2) * size * 2 / count
        ends = [middle + turn @ (reach, offset) for reach in (-size / 2, size / 2)]
        start, end = (tuple(round(float(value)) for value in point) for point in ends)
        cv2.line(canvas, start, end, 1.0, thick)
    return _finish(rng, canvas, rng.uniform(28, 65) if rng.random() < 0.7 else rng.uniform(5, 16))


def _monitor(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """A screen or a computer, some kelvin above the room, with warmer parts."""
    canvas, warmth = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    size, middle = _size(rng, shape, 0.06, 0.4), _place(rng, shape)
    half = np.array((size, size * rng.uniform(0.5, 0.9)))
    corners = half * ((-1, -1), (1, -1), (1, 1), (-1, 1))
    turn = _turn(rng.normal(0, 4))
    _polygon(canvas, middle + corners @ turn.T)
    for _ in range(rng.integers(0, 5)):
        spot = middle + turn @ (half * rng.uniform(-0.8, 0.8, 2))
        _ellipse(warmth, spot, tuple(half * rng.uniform(0.05, 0.4, 2)), rng.uniform(0, 180), rng.uniform(1, 6))
    thing = _finish(rng, canvas, rng.uniform(25, 40))
    return thing._replace(celsius=thing.celsius + cv2.GaussianBlur(warmth, (0, 0), max(0.5, size * 0.06)))


def _window(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """Panes with a frame, colder than the room, or with the sun on them."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.1, 0.6), _place(rng, shape)
    half = np.array((size, size * rng.uniform(0.6, 1.6)))
    columns, rows, gap = rng.integers(1, 4), rng.integers(1, 4), rng.uniform(0.05, 0.2)
    for column in range(columns):
        for row in range(rows):
            low = middle - half + 2 * half * (np.array((column, row)) + gap / 2) / (columns, rows)
            high = middle - half + 2 * half * (np.array((column, row)) + 1 - gap / 2) / (columns, rows)
            _polygon(canvas, np.array((low, (high[0], low[1]), high, (low[0], high[1]))))
    return _finish(rng, canvas, rng.uniform(-5, 15) if rng.random() < 0.7 else rng.uniform(28, 45), 1.0)


def _black_body(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """A reference source: a hot disc in a dark housing, which is all but a head on shoulders."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.05, 0.3), _place(rng, shape)
    half = np.array((size * rng.uniform(0.5, 0.9), size))
    _polygon(canvas, middle + half * ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    thing = _finish(rng, canvas, rng.uniform(18, 30))
    celsius, radius = thing.celsius.copy(), size * rng.uniform(0.12, 0.4)
    spot = middle + (0, size * rng.uniform(-0.9, 0.9))
    for image, value in ((canvas, 1.0), (celsius, rng.uniform(32, 60))):
        _ellipse(image, spot, (radius, radius), 0, value)
    return SceneObject(cv2.GaussianBlur(canvas, (0, 0), 0.5), cv2.GaussianBlur(celsius, (0, 0), 0.5))


def _body(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """Clothed bodies whose heads are out of sight: trunks, legs and laps, as warm as they come, with folds."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.08, 0.5), _place(rng, shape)
    turn = _turn(rng.normal(0, 15) if rng.random() < 0.7 else rng.uniform(0, 360))
    wide, tall = size * rng.uniform(0.5, 0.9), size * rng.uniform(0.8, 1.6)
    corners = np.array(((-wide, -tall), (wide, -tall), (0.8 * wide, tall), (-0.8 * wide, tall)))
    _polygon(canvas, middle + corners @ turn.T)
    _ellipse(canvas, middle - turn @ (0, tall), (wide, 0.35 * wide), 0, 1.0)
    for side in (-1, 1):
        shoulder = middle + turn @ (side * wide, -0.9 * tall)
        elbow = shoulder + turn @ (side * wide * rng.uniform(0, 0.9), tall * rng.uniform(0.4, 1.1))
        _capsule(canvas, shoulder, elbow, (0.28 * wide, 0.2 * wide), 1.0)
        if rng.random() < 0.5:
            end = elbow + turn @ (-side * wide * rng.uniform(0, 1.2), tall * rng.uniform(-0.3, 0.8))
            _capsule(canvas, elbow, end, (0.2 * wide, 0.15 * wide), 1.0)
    thing = _finish(rng, canvas, rng.uniform(22, 36), rng.uniform(0.2, 1.5))
    folds = smooth_field(rng, shape, rng.uniform(0.2, 1.5), int(rng.integers(8, 40)))
    return thing._replace(celsius=thing.celsius + folds)


def _arm(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """A lower arm that ends in a hand, open, a fist, or with some fingers; skin, or a sleeve and then skin."""
    canvas, celsius = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    thick, wrist = _size(rng, shape, 0.03, 0.15), _place(rng, shape)
    angle = rng.uniform(0, 360)
    along = _turn(angle) @ (1.0, 0.0)
    elbow = wrist - along * thick * rng.uniform(3, 8)
    skin = rng.uniform(28, 36)
    sleeve = rng.uniform(22, 33) if rng.random() < 0.5 else skin
    cuff = wrist - along * thick * rng.uniform(0.3, 2)
    palm = wrist + along * thick * 0.9
    for image, values in ((canvas, (1.0, 1.0, 1.0)), (celsius, (sleeve, skin, skin + rng.normal(0, 1.5)))):
        _capsule(image, elbow, cuff, (thick * 1.3, thick * 0.85), values[0])
        _capsule(image, cuff, wrist, (thick * 0.75, thick * 0.6), values[1])
        _ellipse(image, palm, (thick * 1.1, thick * 0.85), angle, values[2])
    for finger in np.linspace(-0.5, 0.5, 5)[: rng.integers(0, 6)]:
        end = palm + _turn(angle + 70 * finger + rng.normal(0, 5)) @ (thick * rng.uniform(1.5, 2.2), 0.0)
        cool = skin - rng.uniform(0, 5)
        for image, value in ((canvas, 1.0), (celsius, cool)):
            _capsule(image, palm, end, (thick * 0.28, thick * 0.2), value)
    share = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 1.0))
    celsius = cv2.dilate(celsius, np.ones((5, 5), np.uint8))
    return SceneObject(share, cv2.GaussianBlur(celsius, (0, 0), 1.0) + smooth_field(rng, shape, 0.5, 6))


def _animal(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """A dog or a cat: a body of fur on legs, a head with ears, warm eyes and a cold nose."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.05, 0.3), _place(rng, shape)
    fur, side = rng.uniform(22, 32), rng.choice((-1, 1))
    celsius = np.full(shape, fur, np.float32)
    _ellipse(canvas, middle, (size * rng.uniform(1.2, 2), size * rng.uniform(0.7, 1)), rng.normal(0, 10), 1.0)
    for reach in (-1.2, -0.8, 0.8, 1.2):
        foot = middle + np.array((reach * size, size * rng.uniform(1.2, 2)))
        _capsule(canvas, middle + np.array((reach * size, 0.3 * size)), foot, (0.2 * size, 0.13 * size), 1.0)
    head, radius = middle + np.array((side * 1.5, -0.8)) * size, size * rng.uniform(0.5, 0.8)
    _ellipse(canvas, head, (radius, radius * rng.uniform(0.8, 1.1)), 0, 1.0)
    _ellipse(celsius, head, (radius * 0.8, radius * 0.8), 0, fur + rng.uniform(0, 3))
    for ear in (-1, 1):
        tip = head + np.array((ear * 0.8, -1.5 * rng.uniform(0.8, 1.1))) * radius
        base = head + np.array(((ear * 0.95, -0.3), (ear * 0.2, -0.9))) * radius
        _polygon(canvas, np.vstack((tip, base)))
        _polygon(celsius, np.vstack((tip, base)), fur + rng.uniform(0, 4))
        eye = head + np.array((ear * 0.35, -0.1)) * radius
        _ellipse(celsius, eye, (max(0.7, 0.16 * radius),) * 2, 0, rng.uniform(32, 37))
    _ellipse(celsius, head + (0, 0.3 * radius), (0.35 * radius, 0.3 * radius), 0, fur + rng.uniform(-1, 3))
    _ellipse(celsius, head + (0, 0.35 * radius), (max(0.7, 0.14 * radius),) * 2, 0, fur - rng.uniform(2, 8))
    share = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.5))
    celsius = cv2.GaussianBlur(celsius, (0, 0), max(0.4, 0.06 * radius))
    return SceneObject(share, celsius + smooth_field(rng, shape, 0.8, 10))


def _head_from_behind(rng: np.random.Generator, shape: tuple[int, int]) -> SceneObject:
    """A person who looks away: hair or a hood on a neck and shoulders, down to the scene's edge."""
    canvas, size, middle = np.zeros(shape, np.float32), _size(rng, shape, 0.08, 0.35), _place(rng, shape)
    hair, neck, clothing = rng.uniform(22, 31), rng.uniform(31, 36), rng.uniform(20, 31)
    celsius = np.full(shape, clothing, np.float32)
    bottom = np.array((0.0, float(shape[0]) + size))
    shoulders = middle + np.array((0, 1.9 * size))
    wide = size * rng.uniform(1.5, 2.2)
    _capsule(canvas, middle, middle + np.array((0, 1.5 * size)), (0.5 * size, 0.55 * size), 1.0)
    _capsule(celsius, middle, middle + np.array((0, 1.3 * size)), (0.7 * size, 0.7 * size), neck)
    for image, value in ((canvas, 1.0), (celsius, clothing)):
        corners = (shoulders + (-wide, 0), shoulders + (wide, 0), (shoulders + (wide, 0)) * (1, 0) + bottom)
        _polygon(image, np.array((*corners, (shoulders - (wide, 0)) * (1, 0) + bottom)), value)
        _ellipse(image, shoulders, (wide, 0.5 * size), 0, value)
    for image, value in ((canvas, 1.0), (celsius, hair)):
        _ellipse(image, middle, (size * rng.uniform(0.75, 0.85), size), rng.normal(0, 6), value)
    celsius = cv2.GaussianBlur(celsius, (0, 0), max(0.5, 0.08 * size))
    share = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.2))
    return SceneObject(share, celsius + smooth_field(rng, shape, 0.5, 12))


#: How each thing is drawn, by its name.
OBJECTS: dict[str, Callable[[np.random.Generator, tuple[int, int]], SceneObject]] = {
    "lamp": _lamp,
    "kettle": _kettle,
    "radiator": _radiator,
    "monitor": _monitor,
    "window": _window,
    "black_body": _black_body,
    "body": _body,
    "arm": _arm,
    "animal": _animal,
    "head_from_behind": _head_from_behind,
}
_SHARES = (0.1, 0.1, 0.08, 0.1, 0.06, 0.1, 0.14, 0.14, 0.08, 0.1)
