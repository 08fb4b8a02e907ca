"""Hair, beard, cloth and glass: how far each pixel is between ambient and the skin below."""

import cv2
import numpy as np

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.heat.subject import Subject
from tfake.heat.tables import read_materials
from tfake.mesh.raster import SurfaceBuffer
from tfake.mesh.template import ANCHORS

_MATERIAL_OF = {
    FaceClass.RIGHT_BROW: "brow",
    FaceClass.LEFT_BROW: "brow",
    FaceClass.HAIR: "hair",
    FaceClass.BEARD: "beard",
    FaceClass.CLOTHING: "clothing",
    FaceClass.GLASSES: "glass",
    FaceClass.HEADWEAR: "headwear",
    FaceClass.FACEWEAR: "facewear",
}
#: How much strands and folds vary the fraction between ambient and skin.
PATTERN_AMPLITUDE = {"hair": 0.03, "beard": 0.035, "clothing": 0.04, "headwear": 0.025, "facewear": 0.02}
#: A mask at the mouth between breathing in and out (fraction); a few kelvin in a cool room.
BREATH_FRACTION = 0.16
BREATH_RADIUS_CM = 2.6
#: The skull as an ellipsoid in the rest frame (cm): hair and hats are the cooler the further they stand off it.
SKULL_CENTRE, SKULL_RADII = (0.0, 1.5, 0.4), (7.5, 11.2, 9.6)
#: Gaps between strands, where strands turn away from the view, let warmer hair through (fraction a unit of facing).
STRAND_FRACTION = 0.12


def material_of_class() -> np.ndarray:
    """Index into the materials' table for each class id 0..18, (19,) int."""
    names = read_materials().names
    return np.array([names.index(_MATERIAL_OF.get(name, "skin")) for name in LABELLED_CLASSES])


def centimetres_per_pixel(surface: SurfaceBuffer) -> float:
    """Scale of the image where the surface faces the camera: the median step of the rest position along rows."""
    # NaN beside the background drops out in the comparison; a step over an edge of depth does in the median.
    step = np.linalg.norm(np.diff(surface.rest_position[::4], axis=1), axis=2)
    frontal = (np.minimum(surface.facing[::4, 1:], surface.facing[::4, :-1]) > 0.8) & (step > 0.0)
    if not frontal.any():
        return 20.0 / surface.classes.shape[1]
    return float(np.median(step[frontal]))


def distance_to(target: np.ndarray, cm_per_pixel: float) -> np.ndarray:
    """Distance in the image to the nearest target pixel.

    Args:
        target: (H, W) bool.
        cm_per_pixel: scale of the image.

    Returns:
        (H, W) float32 cm, 0 on the target; 100 everywhere when there is none.
    """
    if not target.any():
        return np.full(target.shape, 100.0, np.float32)
    pixels = cv2.distanceTransform((~target).astype(np.uint8), cv2.DIST_L2, 5)
    return pixels * np.float32(cm_per_pixel)


def stand_off(positions: np.ndarray) -> np.ndarray:
    """Height above the skull.

    Args:
        positions: (N, 3) float32 cm, rest frame.

    Returns:
        (N,) float32 cm, 0 within it; exact on the axes, near enough between them.
    """
    scaled = (positions - np.float32(SKULL_CENTRE)) / np.float32(SKULL_RADII)
    return np.maximum(np.sqrt((scaled * scaled) @ np.ones(3, np.float32)) - 1.0, 0.0) * np.float32(np.mean(SKULL_RADII))


def covering_fraction(
    material: np.ndarray, positions: np.ndarray, facing: np.ndarray, depth: np.ndarray, subject: Subject | None
) -> np.ndarray:
    """Where each pixel is between ambient (0) and skin (1).

    Args:
        material: (N,) int, index into the materials' table.
        positions: (N, 3) float32 cm, rest frame.
        facing: (N,) float32 cosine between normal and view ray.
        depth: (N,) float32 cm from bare skin, in the image.
        subject: the person, or None for the mean subject: no pattern and no breath.

    Returns:
        (N,) float32.
    """
    table = read_materials()
    fraction = np.ones(len(material), np.float32)
    for index, name in enumerate(table.names):
        if name == "skin":
            continue
        here = np.flatnonzero(material == index)
        if not len(here):
            continue
        place, below = positions[here], depth[here]
        if name in ("hair", "headwear"):
            below = stand_off(place) + np.float32(0.3) * np.minimum(below, 3.0)
        values = table.deep[index] + (table.edge[index] - table.deep[index]) * np.exp(-below / table.depth[index])
        if name == "hair":
            values += np.float32(STRAND_FRACTION) * (np.float32(0.75) - facing[here])
        if subject is not None:
            values += subject.fraction[index] + _pattern(name, place, subject)
        fraction[here] = np.clip(values, 0.0, 1.0)
    return fraction


def _pattern(name: str, place: np.ndarray, subject: Subject) -> np.ndarray:
    """What strands, folds and breath add to the fraction of one material at (N, 3) cm, (N,) float32."""
    pattern = np.zeros(len(place), np.float32)
    if name in PATTERN_AMPLITUDE:
        waves = {"hair": subject.strands, "beard": subject.stubble}.get(name, subject.folds)
        pattern += np.float32(PATTERN_AMPLITUDE[name]) * waves.evaluate(place)
    if name == "facewear":
        away = (place - np.float32(ANCHORS["mouth"])) / np.float32(BREATH_RADIUS_CM)
        pattern += np.float32(BREATH_FRACTION * subject.breath) * np.exp(-0.5 * np.sum(away * away, axis=1))
    return pattern
