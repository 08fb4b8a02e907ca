"""Pictures, class maps and points taken along with a cage: one piecewise affine map for all of them."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from tfake.mesh.raster import rasterise
from tfake.retargeting.cage import cage
from tfake.retargeting.still import Still


@dataclass(frozen=True)
class PixelMap:
    """Where each pixel of a moved picture comes from.

    Attributes:
        source: (H, W, 2) float32 x and y in the still.
        triangle: (H, W) int32 triangle of the cage.
    """

    source: np.ndarray
    triangle: np.ndarray

    def warp(self, image: np.ndarray) -> np.ndarray:
        """A picture (H, W) or (H, W, C), float32 or uint8, taken along; linear between pixels.

        Coordinates are rounded to 1/32 pixel, as OpenCV does it: what does not move stays as it is, bit for bit.
        """
        return self._remap(image, cv2.INTER_LINEAR)

    def warp_classes(self, classes: np.ndarray) -> np.ndarray:
        """A class map (H, W) uint8 taken along; each pixel has the class of the nearest one."""
        return self._remap(classes, cv2.INTER_NEAREST)

    def _remap(self, image: np.ndarray, how: int) -> np.ndarray:
        return cv2.remap(image, self.source[..., 0], self.source[..., 1], how, borderMode=cv2.BORDER_REPLICATE)


def map_pixels(still: Still, moved: np.ndarray) -> PixelMap:
    """The map from a moved cage (n, 2) without folded triangles back to the still's."""
    height, width = still.shape
    flat = np.column_stack([moved, np.ones(len(moved))])
    seen = rasterise(flat, cage().triangles, still.shape)
    # Displacements, not places: where nothing moves they are 0 and not nearly 0.
    back = seen.interpolate(still.cage - moved, cage().triangles)
    # A pixel whose centre is on an edge may be missed by both sides: it moves as the one before it does.
    place = np.maximum(np.searchsorted(seen.pixels, np.arange(height * width), "right") - 1, 0)
    y, x = np.mgrid[:height, :width]
    source = back[place].reshape(height, width, 2) + np.stack([x, y], axis=2)
    return PixelMap(source.astype(np.float32), seen.triangle[place].reshape(height, width).astype(np.int32))


@dataclass(frozen=True)
class BoundPoints:
    """Points of a still bound to its cage.

    Attributes:
        still: the still.
        points: (p, 2) pixels.
        sides: to a point's number, the triangles (k,) it may be bound to, where it lies on lips or lids that touch;
            there its place to a pixel does not tell on which of the two it is.
    """

    still: Still
    points: np.ndarray
    sides: dict[int, np.ndarray]

    @cached_property
    def _binding(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Triangle (p,), weights of its corners (p, 3), and whether it is bound at all (p,)."""
        corners = self.still.cage[cage().triangles]
        weights = _barycentric(corners[None], self.points[:, None])
        inside = weights.min(axis=2)
        for point, allowed in self.sides.items():
            others = np.ones(len(corners), bool)
            others[allowed] = False
            inside[point, others] = -np.inf
        triangle = inside.argmax(axis=1)
        rows = np.arange(len(self.points))
        bound = inside[rows, triangle] > -1e-6
        bound[list(self.sides)] = True
        return triangle, weights[rows, triangle], bound

    def move(self, moved: np.ndarray) -> np.ndarray:
        """The points (p, 2) after the cage has moved; those outside the picture, whose border stays, stay too."""
        triangle, weights, bound = self._binding
        places = np.einsum("pc,pcd->pd", weights, moved[cage().triangles[triangle]])
        # Weights round: a point keeps its own coordinates and takes the motion alone.
        before = np.einsum("pc,pcd->pd", weights, self.still.cage[cage().triangles[triangle]])
        return self.points + np.where(bound[:, None], places - before, 0.0)


def _barycentric(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Weights (..., 3) of triangles' corners (..., 3, 2) at points (..., 2)."""
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]

    def cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

    area = cross(b - a, c - a)
    over_b = cross(points - a, c - a) / area
    over_c = cross(b - a, points - a) / area
    return np.stack([1.0 - over_b - over_c, over_b, over_c], axis=-1)
