"""Hair, beard, cloth and glass: which fraction of a pixel each covers, and how far it is between ambient and skin."""

from collections.abc import Mapping

import cv2
import numpy as np

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.heat.subject import Subject
from tfake.heat.tables import read_materials
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
#: How much strands and folds vary the fraction between ambient and skin, from person to person.
PATTERN_AMPLITUDE = {"hair": 0.03, "beard": 0.035, "clothing": 0.04, "headwear": 0.025, "facewear": 0.02}
#: What a picture's fine luminance adds to the fraction (judgement): strands, creases and seams shade what they cover.
#: Prints on cloth have no heat, and look like creases, so cloth has little of it.
DETAIL_FRACTION = {"hair": 0.05, "beard": 0.04, "clothing": 0.015, "headwear": 0.015, "facewear": 0.015}
#: A mask at the mouth between breathing in and out (fraction); a few kelvin in a cool room.
BREATH_FRACTION = 0.16
BREATH_RADIUS_CM = 2.6
#: The skull as an ellipsoid in the rest frame (cm): hair and hats are the cooler the further they stand off it.
SKULL_CENTRE, SKULL_RADII = (0.0, 1.5, 0.4), (7.5, 11.2, 9.6)
#: Gaps between strands, where strands turn away from the view, let warmer hair through (fraction a unit of facing).
STRAND_FRACTION = 0.12
#: Width of the soft border of brows (cm): hairs thin out.
BROW_EDGE_CM = 0.12
#: Radius (cm) and regularisation of the guided filter that finds hairs over a border, and what it softens.
GUIDE_RADIUS_CM, GUIDE_EPSILON = 0.3, 4e-3
GUIDED = ("hair", "beard", "brow", "skin")
#: Cloth and the like end within this (cm).
CLOTH_EDGE_CM = 0.05


def material_of_class() -> np.ndarray:
    """Index into the materials' table for each class id 0..18, (19,) uint8."""
    names = read_materials().names
    return np.array([names.index(_MATERIAL_OF.get(name, "skin")) for name in LABELLED_CLASSES], np.uint8)


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
        positions: (..., 3) float32 cm, rest frame.

    Returns:
        (...) float32 cm, 0 within it; exact on the axes, near enough between them.
    """
    scaled = (positions - np.array(SKULL_CENTRE, np.float32)) / np.array(SKULL_RADII, np.float32)
    return np.maximum(np.sqrt((scaled * scaled) @ np.ones(3, np.float32)) - 1.0, 0.0) * np.float32(np.mean(SKULL_RADII))


def hard_weights(material: np.ndarray, solid: np.ndarray, cm_per_pixel: float) -> dict[str, np.ndarray]:
    """Which pixels each material covers, where only the class map is known.

    Args:
        material: (H, W) uint8, index into the materials' table.
        solid: (H, W) bool, neither background nor IGNORE.
        cm_per_pixel: scale of the image.

    Returns:
        Material to (H, W) float32 of 0 and 1, brows with a soft border to the skin; only materials that are there.
    """
    names = read_materials().names
    there = np.bincount(material[solid], minlength=len(names)) > 0
    weights = {
        name: (solid & (material == index)).astype(np.float32)
        for index, name in enumerate(names)
        if name == "skin" or there[index]
    }
    if "brow" in weights:
        under = weights["skin"] + weights["brow"]
        brow = soften(weights["brow"], BROW_EDGE_CM / cm_per_pixel) * under
        weights |= {"brow": brow, "skin": under - brow}
    return weights


def guided_weights(hard: Mapping[str, np.ndarray], gray: np.ndarray, cm_per_pixel: float) -> dict[str, np.ndarray]:
    """Soften the borders of a class map by the picture: single hairs, stubble, thin ends of a brow.

    A guided filter (He, Sun and Tang, PAMI 2013) of each cover and of everything else, divided by their sum, which
    without the division would lose warmth to the background at every silhouette.

    Args:
        hard: of ``hard_weights``.
        gray: (H, W) float32 luminance, 0..1.
        cm_per_pixel: scale of the image.

    Returns:
        Material to (H, W) float32, 0..1.
    """
    radius = max(round(GUIDE_RADIUS_CM / cm_per_pixel), 1)
    background = 1.0 - sum(hard.values())
    guided = [name for name in hard if name in GUIDED]
    follow = cv2.ximgproc.createGuidedFilter(gray, radius, GUIDE_EPSILON)
    soft = {name: np.clip(follow.filter(hard[name]), 0.0, 1.0) for name in guided}
    for name, weight in {**hard, "": background}.items():
        if name not in soft:
            soft[name] = soften(weight, CLOTH_EDGE_CM / cm_per_pixel)
    total = np.maximum(sum(soft.values()), np.float32(1e-3))
    return {name: soft[name] / total for name in hard}


def soften(weight: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """A mask with a Gaussian border, (H, W) float32."""
    return cv2.GaussianBlur(weight, (0, 0), max(sigma_pixels, 0.3), borderType=cv2.BORDER_REFLECT)


def covering_fraction(
    name: str, below: np.ndarray, facing: np.ndarray | float = 0.75, tables: str = "measured"
) -> np.ndarray:
    """Where a material is between ambient (0) and skin (1), for the mean person.

    Args:
        name: of the material.
        below: float32 cm that lie between its surface and bare skin, any shape.
        facing: cosine between normal and view ray, of the same shape or a number.
        tables: which parameters.

    Returns:
        float32 of below's shape.
    """
    table = read_materials(tables)
    index = table.names.index(name)
    if table.edge[index] == table.deep[index]:
        return np.full(np.shape(below), table.deep[index], np.float32)
    fraction = table.deep[index] + (table.edge[index] - table.deep[index]) * np.exp(-below / table.depth[index])
    if name == "hair":
        fraction = fraction + np.float32(STRAND_FRACTION) * (np.float32(0.75) - facing)
    return np.clip(fraction, 0.0, 1.0)


def person_fraction(name: str, places: np.ndarray, subject: Subject, tables: str = "measured") -> np.ndarray:
    """What a person's strands, folds and breath add to the fraction of a material at (N, 3) cm: (N,) float32."""
    table = read_materials(tables)
    added = np.full(len(places), table.fraction_sd[table.names.index(name)] * subject.covers[name], np.float32)
    if name in PATTERN_AMPLITUDE:
        waves = {"hair": subject.strands, "beard": subject.stubble}.get(name, subject.folds)
        added += np.float32(PATTERN_AMPLITUDE[name]) * waves.evaluate(places)
    if name == "facewear":
        away = (places - np.array(ANCHORS["mouth"], np.float32)) / np.float32(BREATH_RADIUS_CM)
        added += np.float32(BREATH_FRACTION * subject.breath) * np.exp(-0.5 * np.sum(away * away, axis=1))
    return added
