"""A vectorised z-buffer: which triangle every pixel centre sees, where on it, and the surface that lies there."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fragments:
    """The visible surface of one view, one entry for each covered pixel (P of them).

    Attributes:
        pixels: (P,) int64 flat index (row * width + column), increasing.
        triangle: (P,) int64 index of the visible triangle.
        weights: (P, 3) float32 perspective-correct barycentric weights of its corners, summing to 1.
        depth: (H, W) float32 inverse distance along the view axis (0 where nothing is seen).
    """

    pixels: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    depth: np.ndarray

    def interpolate(self, values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """Interpolate per-vertex values (n, ...) to the covered pixels (P, ...)."""
        corners = triangles[self.triangle]
        trailing = (...,) + (None,) * (values.ndim - 1)
        result = values[corners[:, 0]] * self.weights[:, 0][trailing]
        result += values[corners[:, 1]] * self.weights[:, 1][trailing]
        result += values[corners[:, 2]] * self.weights[:, 2][trailing]
        return result


@dataclass(frozen=True)
class SurfaceBuffer:
    """The visible surface, pixel by pixel (H, W): all that the temperature truth may know about the image.

    The pixel (0, 0) has its centre at (0.0, 0.0).

    Attributes:
        classes: (H, W) uint8 FaceSynthetics ids, exactly what goes to ``{id}_seg.png``.
        rest_position: (H, W, 3) float32 cm in the head frame of the template, before identity and expression move the
            surface: x to the subject's left (image right in a frontal view), y up, z out of the face, origin midway
            between the ears. NaN on background.
        facing: (H, W) float32 cosine between the outward normal and the view ray, 0..1; 0 on background.
        lens: (H, W) bool, glasses (a frame, a transparent or an opaque lens) cover the pixel. The class map keeps the
            class behind a transparent lens.
    """

    classes: np.ndarray
    rest_position: np.ndarray
    facing: np.ndarray
    lens: np.ndarray


def signed_areas(screen: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Twice the signed area (m,) px^2 of screen triangles; positive when the outside faces the camera (y down)."""
    a, b, c = (screen[triangles[:, k], :2] for k in range(3))
    return (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) - (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])


def rasterise(
    screen: np.ndarray, triangles: np.ndarray, shape: tuple[int, int], two_sided: np.ndarray | bool = False
) -> Fragments:
    """Resolve visibility exactly at pixel centres.

    Every triangle is cut into scanline spans, every span into fragments; the nearest fragment of a pixel wins. All
    steps are array operations, so the cost follows the covered area and not a Python loop over triangles.

    Args:
        screen: (n, 3) float x px, y px, inverse distance (larger is nearer); inverse distance is linear on screen.
        triangles: (m, 3) int vertex indices, counter-clockwise seen from outside.
        shape: (height, width) of the image; integer coordinates are pixel centres.
        two_sided: (m,) bool or one bool, keep triangles seen from inside.

    Returns:
        The visible fragments.
    """
    corners, kept, (triangle, pixel, depth) = _covered(screen, triangles, shape, two_sided)
    nearest = np.zeros(shape[0] * shape[1], dtype=np.float32)
    np.maximum.at(nearest, pixel, depth)
    seen = np.full(nearest.size, -1, dtype=np.int64)
    winner = depth == nearest[pixel]
    seen[pixel[winner]] = triangle[winner]
    pixels = np.flatnonzero(seen >= 0)
    visible = seen[pixels]
    weights = _weights(corners[visible], pixels, shape[1])
    return Fragments(pixels, kept[visible], weights, nearest.reshape(shape))


def rasterise_depth(screen: np.ndarray, triangles: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Only the nearest inverse distance (H, W) float32 of `rasterise`, both sides of every triangle: a shadow map."""
    _, _, (_, pixel, depth) = _covered(screen, triangles, shape, True)
    nearest = np.zeros(shape[0] * shape[1], dtype=np.float32)
    np.maximum.at(nearest, pixel, depth)
    return nearest.reshape(shape)


def _covered(
    screen: np.ndarray, triangles: np.ndarray, shape: tuple[int, int], two_sided: np.ndarray | bool
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """All fragments of the triangles on screen, hidden ones included.

    Returns:
        Corners (k, 3, 3) of the k triangles kept, their indices (k,), and for each fragment its triangle (among the
        kept), flat pixel and depth.
    """
    height, width = shape
    area = signed_areas(screen, triangles)
    x, y = screen[:, 0][triangles], screen[:, 1][triangles]
    on_screen = (_largest(x) >= 0) & (_largest(y) >= 0) & (_smallest(x) <= width - 1) & (_smallest(y) <= height - 1)
    kept = np.flatnonzero(on_screen & ((area > 1e-9) | (two_sided & (area < -1e-9))))
    corners = screen[triangles[kept]]
    row, spans, first_column, count = _spans(corners[:, :, 0], corners[:, :, 1], shape)
    plane = _depth_planes(corners, area[kept])

    start = (plane[spans, 0] + plane[spans, 2] * row + plane[spans, 1] * first_column).astype(np.float32)
    slope = plane[spans, 1].astype(np.float32)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    pixel = np.repeat(row * width + first_column, count) + step
    depth = np.repeat(start, count) + np.repeat(slope, count) * step.astype(np.float32)
    return corners, kept, (np.repeat(spans, count), pixel, depth)


def _smallest(values: np.ndarray) -> np.ndarray:
    """Row minima of (m, 3); three columns compared are faster than a reduction along a short axis."""
    return np.minimum(np.minimum(values[:, 0], values[:, 1]), values[:, 2])


def _largest(values: np.ndarray) -> np.ndarray:
    return np.maximum(np.maximum(values[:, 0], values[:, 1]), values[:, 2])


def _spans(
    x: np.ndarray, y: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scanline spans of triangles with corners x, y (m, 3): row, triangle, first column and columns of each span."""
    height, width = shape
    top = np.clip(np.ceil(_smallest(y)), 0, height - 1).astype(np.int64)
    bottom = np.clip(np.floor(_largest(y)), -1, height - 1).astype(np.int64)
    rows = np.maximum(bottom - top + 1, 0)
    triangle = np.repeat(np.arange(len(x)), rows)
    row = np.arange(len(triangle)) - np.repeat(np.cumsum(rows) - rows - top, rows)
    left = np.full(len(row), np.inf)
    right = np.full(len(row), -np.inf)
    for k in range(3):
        ax, ay, bx, by = x[:, k], y[:, k], x[:, (k + 1) % 3], y[:, (k + 1) % 3]
        rise = by - ay
        slope = (bx - ax) / np.where(rise == 0, 1.0, rise)
        # An edge along a scanline has no crossing; an empty range of rows leaves it out.
        low = np.where(rise == 0, np.inf, np.minimum(ay, by))
        inside = np.flatnonzero((row >= low[triangle]) & (row <= np.maximum(ay, by)[triangle]))
        owner = triangle[inside]
        crossing = (ax - slope * ay)[owner] + slope[owner] * row[inside]
        left[inside] = np.minimum(left[inside], crossing)
        right[inside] = np.maximum(right[inside], crossing)
    first = np.ceil(np.maximum(np.minimum(left, width), 0)).astype(np.int64)
    count = np.floor(np.minimum(np.maximum(right, -1), width - 1)).astype(np.int64) - first + 1
    kept = np.flatnonzero(count > 0)
    return row[kept], triangle[kept], first[kept], count[kept]


def _depth_planes(corners: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Coefficients (m, 3) of inverse distance = c0 + c1 x + c2 y on each screen triangle (m, 3, 3)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac = b - a, c - a
    determinant = -area
    slope_x = (ab[:, 2] * ac[:, 1] - ac[:, 2] * ab[:, 1]) / determinant
    slope_y = (ac[:, 2] * ab[:, 0] - ab[:, 2] * ac[:, 0]) / determinant
    return np.stack([a[:, 2] - slope_x * a[:, 0] - slope_y * a[:, 1], slope_x, slope_y], axis=1)


def _weights(corners: np.ndarray, pixels: np.ndarray, width: int) -> np.ndarray:
    """Perspective-correct barycentric weights (P, 3) of pixel centres in their triangles (P, 3, 3)."""
    x, y = pixels % width, pixels // width
    dx, dy = corners[:, :, 0] - x[:, None], corners[:, :, 1] - y[:, None]
    weights = np.empty((len(pixels), 3))
    for k in range(3):
        p, q = (k + 1) % 3, (k + 2) % 3
        weights[:, k] = dx[:, p] * dy[:, q] - dx[:, q] * dy[:, p]
    weights *= corners[:, :, 2]
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(weights, 0.0, 1.0).astype(np.float32)
