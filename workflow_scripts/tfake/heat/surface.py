"""The visible surface of a face as heat sees it: places on the mean head, what covers them, how they emit.

All that neither the room nor the person changes; so one surface serves several of both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from tfake.core.classes import FaceClass
from tfake.heat.apparent import directional_emissivity
from tfake.heat.coverings import (
    covering_fraction,
    distance_to,
    hard_weights,
    material_of_class,
    soften,
    stand_off,
)
from tfake.heat.features import Marks, draw_marks
from tfake.heat.regions import control_weights
from tfake.heat.tables import read_materials
from tfake.mesh.raster import SurfaceBuffer

#: Skin this far (cm) inside the outline mirrors mostly other skin at grazing angles, and the room by the rest.
SILHOUETTE_CM = 1.0
SKIN_IN_MIRROR = 0.75
#: Width of the soft border of cornea and open mouth (cm): heat spreads.
SOFT_EDGE_CM = 0.12
#: How much of the depth in the image counts beside the height above the skull, and up to how much of it (cm).
_DEPTH_COUNTS, _DEEPEST_CM = 0.3, 3.0


@dataclass(frozen=True)
class HeatSurface:
    """A surface, pixel by pixel.

    Attributes:
        places: (h, w, 3) float32 cm on the mean head (frame of :class:`tfake.mesh.raster.SurfaceBuffer`); of the
            image's size or coarser, since temperatures of skin are smooth.
        solid: (H, W) bool, anything but background.
        weights: material to (H, W) float32 fraction of each pixel that it covers; what is left to 1 is background.
        fraction: (H, W) float32 where each pixel is between ambient (0) and the skin below (1), for the mean person.
        emissivity: (H, W) float32 towards the camera.
        eyes: (H, W) float32, the cornea with a soft border; 0 under glasses.
        mouth: (H, W) float32, the open mouth with a soft border.
        marks: small warm and cool marks of the skin.
        under: (h, w) uint8, 1 where cloth hangs and 2 where a mask does, wherever on the head they are drawn.
        cm_per_pixel: scale of the image at the face.
    """

    places: np.ndarray
    solid: np.ndarray
    weights: Mapping[str, np.ndarray]
    fraction: np.ndarray
    emissivity: np.ndarray
    eyes: np.ndarray
    mouth: np.ndarray
    marks: Marks
    under: np.ndarray
    cm_per_pixel: float
    _control_weights: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def inside(self) -> np.ndarray:
        """(N,) flat indices of the coarse pixels that have a place."""
        return np.flatnonzero(np.isfinite(self.places[..., 2]) & self._coarse_solid)

    @cached_property
    def inside_places(self) -> np.ndarray:
        """(N, 3) float32 cm, of ``inside``."""
        return np.ascontiguousarray(self.places.reshape(-1, 3)[self.inside])

    @property
    def _coarse_solid(self) -> np.ndarray:
        height, width = self.places.shape[:2]
        step = -(-self.solid.shape[0] // height)
        # A coarse pixel counts if any of its pixels does: its neighbours are enlarged from it.
        padded = np.zeros((height * step, width * step), bool)
        padded[: self.solid.shape[0], : self.solid.shape[1]] = self.solid
        return padded.reshape(height, step, width, step).any(axis=(1, 3))

    def control_weights(self, tables: str) -> np.ndarray:
        """(N, C) float32 weights of the control points at ``inside_places``."""
        kept = self._control_weights
        if tables not in kept:
            kept[tables] = control_weights(self.inside_places, tables)
        return kept[tables]


def rendered_surface(buffer: SurfaceBuffer, tables: str = "measured") -> HeatSurface:
    """The surface of a rendered head, whose places and angles are exact.

    Args:
        buffer: what the renderer saw.
        tables: which parameters.
    """
    solid = (buffer.classes != FaceClass.BACKGROUND) & (buffer.classes != FaceClass.IGNORE)
    solid &= np.isfinite(buffer.rest_position[..., 2])
    cm_per_pixel = _centimetres_per_pixel(buffer)
    material = material_of_class()[np.minimum(buffer.classes, len(material_of_class()) - 1)]
    material = np.where(buffer.lens, read_materials().names.index("glass"), material)
    weights = hard_weights(material, solid, cm_per_pixel)
    bare = (weights["skin"] > 0.5) & ~buffer.lens
    depth = distance_to(bare, cm_per_pixel)
    skull = stand_off(np.nan_to_num(buffer.rest_position)) + np.float32(_DEPTH_COUNTS) * np.minimum(depth, _DEEPEST_CM)
    below = {"hair": skull, "headwear": skull}
    fractions = {name: covering_fraction(name, below.get(name, depth), buffer.facing, tables) for name in weights}
    return compose_surface(
        buffer.rest_position,
        buffer.classes,
        solid,
        weights,
        fractions,
        buffer.facing,
        buffer.lens,
        cm_per_pixel,
        tables,
    )


def compose_surface(
    places: np.ndarray,
    classes: np.ndarray,
    solid: np.ndarray,
    weights: Mapping[str, np.ndarray],
    fractions: Mapping[str, np.ndarray],
    facing: np.ndarray,
    lens: np.ndarray,
    cm_per_pixel: float,
    tables: str,
    creases: np.ndarray | float = 0.0,
) -> HeatSurface:
    """Put a surface together; arguments are as of :class:`HeatSurface` and :class:`tfake.mesh.raster.SurfaceBuffer`."""
    table = read_materials()
    fraction, emissivity = np.zeros(classes.shape, np.float32), np.zeros(classes.shape, np.float32)
    from_room = distance_to(~solid, cm_per_pixel)
    warm_beyond = np.float32(SKIN_IN_MIRROR) * np.minimum(from_room / np.float32(SILHOUETTE_CM), 1.0)
    for name, weight in weights.items():
        normal = table.emissivity[table.names.index(name)]
        towards = directional_emissivity(normal, facing, warm_beyond) if name == "skin" else normal
        fraction += weight * fractions[name]
        emissivity += weight * towards
    emissivity += (1.0 - sum(weights.values())) * table.emissivity[0]
    step = -(-classes.shape[0] // places.shape[0])
    fine = places if step == 1 else cv2.resize(places, classes.shape[::-1], interpolation=cv2.INTER_LINEAR)
    coarse = classes[step // 2 :: step, step // 2 :: step]
    under = np.where(coarse == FaceClass.CLOTHING, 1, np.where(coarse == FaceClass.FACEWEAR, 2, 0)).astype(np.uint8)
    edge = SOFT_EDGE_CM / cm_per_pixel
    return HeatSurface(
        places=places,
        solid=solid,
        weights=weights,
        fraction=fraction,
        emissivity=emissivity.astype(np.float32),
        eyes=_soft_mask((classes == FaceClass.RIGHT_EYE) | (classes == FaceClass.LEFT_EYE), edge) * ~lens,
        mouth=_soft_mask(classes == FaceClass.MOUTH_INTERIOR, edge),
        marks=draw_marks(fine, weights["skin"] > 0.1, tables, creases * weights["skin"]),
        under=under,
        cm_per_pixel=cm_per_pixel,
    )


def _soft_mask(mask: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """A mask (H, W) bool with a Gaussian border, float32."""
    weight = mask.astype(np.float32)
    return soften(weight, sigma_pixels) if mask.any() else weight


def _centimetres_per_pixel(surface: SurfaceBuffer) -> float:
    """Scale of the image where the surface faces the camera: the median step of the rest position along rows."""
    # NaN beside the background drops out in the comparison; a step over an edge of depth does in the median.
    step = np.linalg.norm(np.diff(surface.rest_position[::4], axis=1), axis=2)
    frontal = (np.minimum(surface.facing[::4, 1:], surface.facing[::4, :-1]) > 0.8) & (step > 0.0)
    if not frontal.any():
        return 20.0 / surface.classes.shape[1]
    return float(np.median(step[frontal]))
