"""Any face's surface on the mean head: from its 478 points and its class map, without a 3D reconstruction.

The mean head's control mesh is laid into the image: FaceMesh's vertices at their points, the rings over skull, neck and
torso by the similarity that fits the vertices best, drawn along by what is left at the face oval. The mesh is drawn
with a depth buffer, and what it does not cover (hair, clothes, fingers) takes the nearest place that it does. So every
pixel has a place on the mean head, where temperatures are known, and an angle to the view.

Geometry is smooth, so it is drawn at a quarter of the image's size and enlarged.
"""

from functools import cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from tfake.core.classes import FaceClass
from tfake.heat.coverings import (
    DETAIL_FRACTION,
    covering_fraction,
    distance_to,
    guided_weights,
    hard_weights,
    material_of_class,
)
from tfake.heat.grain import CREASE_KELVIN
from tfake.heat.surface import HeatSurface, compose_surface
from tfake.heat.tables import read_materials
from tfake.imaging.foreground import fill_glasses
from tfake.mesh.head import COLUMNS, head_mesh
from tfake.mesh.raster import rasterise
from tfake.mesh.template import FACE_OVAL, FACE_VERTICES, face_triangles
from tfake.mesh.topology import grid_triangles, vertex_normals

#: The geometry's pixels per image pixel, along each side.
REDUCTION = 4
#: How much of the oval's distance from the fitted mean head the first rings behind it share.
_FOLLOWS_OVAL = (0.8, 0.55, 0.3, 0.1)
#: From where the depth buffer looks, in widths of the face: nearly orthographic.
_VIEW_DISTANCE = 40.0


def register_face(
    points: np.ndarray, classes: np.ndarray, rgb: np.ndarray | None = None, tables: str = "measured"
) -> HeatSurface:
    """Find each pixel's place on the mean head, and what covers it.

    Args:
        points: (478, 3) pixels and depth (the x-axis' unit, smaller is nearer), or (468, 3); FaceMesh's numbering.
        classes: (H, W) uint8 class ids.
        rgb: (H, W, 3) uint8 of the same size; softens the borders of hair, beard and brows where their pixels do.
        tables: which parameters.

    Returns:
        The surface.

    Raises:
        ValueError: shapes do not fit, or a point is not finite.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or len(points) < FACE_VERTICES or points.shape[1] != 3:
        raise ValueError(f"expected (478, 3) points with depth; found {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("expected finite points; a face without a mesh has no heat field")
    if rgb is not None and rgb.shape != (*classes.shape, 3):
        raise ValueError(f"classes of {classes.shape} want an image of {(*classes.shape, 3)}; found {rgb.shape}")
    vertices, scale, turn = _fit_head(points[:FACE_VERTICES])
    cm_per_pixel = 1.0 / scale
    classes = fill_glasses(_fill_specks(classes))
    solid = (classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)
    places, facing = _draw(vertices, classes.shape, turn / scale)
    material = material_of_class()[np.minimum(classes, len(material_of_class()) - 1)]
    lens = material == read_materials().names.index("glass")
    weights = hard_weights(material, solid, cm_per_pixel)
    below = distance_to(weights["skin"] > 0.5, cm_per_pixel)
    fractions = {name: covering_fraction(name, below, tables=tables) for name in weights}
    creases: np.ndarray | float = 0.0
    if rgb is not None:
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
        weights = guided_weights(weights, gray, cm_per_pixel)
        detail = _detail(gray, cm_per_pixel)
        fractions |= {
            name: fractions[name] + DETAIL_FRACTION[name] * detail for name in weights if name in DETAIL_FRACTION
        }
        creases = np.float32(-CREASE_KELVIN) * detail
    return compose_surface(places, classes, solid, weights, fractions, facing, lens, cm_per_pixel, tables, creases)


def _detail(gray: np.ndarray, cm_per_pixel: float) -> np.ndarray:
    """Fine luminance, (H, W) float32 in -1..1: what stands out within a centimetre, by its own spread there."""
    sigma = 0.6 / cm_per_pixel
    fine = gray - _blur_coarsely(gray, sigma)
    spread = np.sqrt(_blur_coarsely(fine * fine, 2 * sigma)) + np.float32(0.02)
    return np.tanh(fine / spread)


def _blur_coarsely(image: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """A wide Gaussian blur (H, W) float32, computed on an image whose pixels are a third of its width."""
    step = max(int(sigma_pixels / 3.0), 1)
    height, width = image.shape
    small = cv2.resize(image, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_pixels / step)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _fit_head(points: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The control mesh in the image, (n, 3) pixels, y down and z away, its scale in pixels a cm, and its rotation.

    Depth is FaceMesh's guess, so it counts half. The rotation (3, 3) is from the image's axes to the rest frame's.
    """
    rest = _loft()[0] * (1.0, -1.0, -1.0)
    face = rest[:FACE_VERTICES]
    trust = np.array([1.0, 1.0, 0.5])
    centre, goal = face.mean(axis=0), points.mean(axis=0)
    # Umeyama's similarity (PAMI 1991).
    left, singular, right = np.linalg.svd(((points - goal) * trust).T @ (face - centre))
    handed = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    turn = left @ handed @ right
    scale = float((singular * np.diag(handed)).sum() / ((face - centre) ** 2).sum())
    turned = (face - centre) @ turn.T
    scale = float((turned[:, :2] * (points - goal)[:, :2]).sum() / (turned[:, :2] ** 2).sum())
    fitted = scale * (rest - centre) @ turn.T + goal
    oval = list(FACE_OVAL)
    residual = points[oval] - fitted[oval]
    for ring, share in enumerate(_FOLLOWS_OVAL):
        start = FACE_VERTICES + ring * COLUMNS
        fitted[start : start + COLUMNS] += share * residual
    fitted[:FACE_VERTICES] = points
    return fitted, scale, turn.T * ((1.0,), (-1.0,), (-1.0,))


@cache
def _loft() -> tuple[np.ndarray, np.ndarray]:
    """Rest positions (n, 3) cm of face and loft, and their triangles (m, 3), counter-clockwise seen from outside."""
    mesh = head_mesh()
    rings = len(mesh.rings) - 1
    count = FACE_VERTICES + rings * COLUMNS
    ids = np.concatenate([np.array(FACE_OVAL), np.arange(FACE_VERTICES, count)])
    loft = ids[grid_triangles(rings + 1, COLUMNS, closed=True)][:, ::-1]
    return mesh.control[:count], np.concatenate([face_triangles(), loft])


def _draw(vertices: np.ndarray, size_pixels: tuple[int, int], to_rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (h, w, 3) and facing (H, W) of the mesh in an image (H, W), filled to its borders.

    Beyond the mesh places go on in the image's plane: ``to_rest`` (3, 3) takes its pixels to cm of the rest frame.
    """
    rest, triangles = _loft()
    height, width = size_pixels
    shape = (-(-height // REDUCTION), -(-width // REDUCTION))
    size = float(np.ptp(vertices[:FACE_VERTICES, 0]))
    screen = (vertices[:, :2] + 0.5) / REDUCTION - 0.5
    inverse = 1.0 / (_VIEW_DISTANCE * size + vertices[:, 2])
    fragments = rasterise(np.column_stack((screen, inverse)), triangles, shape)
    normals = vertex_normals(vertices * (1.0, -1.0, -1.0), triangles)
    places = np.zeros((shape[0] * shape[1], 3), np.float32)
    facing = np.zeros(shape[0] * shape[1], np.float32)
    places[fragments.pixels] = fragments.interpolate(rest.astype(np.float32), triangles)
    facing[fragments.pixels] = np.clip(fragments.interpolate(normals[:, 2].astype(np.float32), triangles), 0.0, 1.0)
    covered = np.zeros(shape[0] * shape[1], np.uint8)
    covered[fragments.pixels] = 1
    _, nearest = cv2.distanceTransformWithLabels(
        1 - covered.reshape(shape), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # Labels number the covered pixels; each looks up which one it is.
    owner = np.zeros(nearest.max() + 1, np.int64)
    owner[nearest.ravel()[covered == 1]] = np.flatnonzero(covered)
    source = owner[nearest.ravel()]
    places = places[source]
    columns, rows = (np.arange(covered.size) % shape[1], np.arange(covered.size) // shape[1])
    steps = np.stack((columns - source % shape[1], rows - source // shape[1]), axis=1) * float(REDUCTION)
    places += (steps @ to_rest[:, :2].T).astype(np.float32)
    facing = cv2.resize(facing[source].reshape(shape), (width, height), interpolation=cv2.INTER_LINEAR)
    return places.reshape(*shape, 3), facing


def _fill_specks(classes: np.ndarray) -> np.ndarray:
    """Close holes of a pixel or two that class maps have within a person: IGNORE, and background inside it."""
    solid = ((classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)).astype(np.uint8)
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    holes = (closed == 1) & (solid == 0)
    holes |= classes == FaceClass.IGNORE
    if not holes.any() or not solid.any():
        return classes
    # The nearest solid pixel of a hole is at a border: few pixels, so a tree is faster than a map of distances.
    border = np.argwhere((solid == 1) & (cv2.erode(solid, np.ones((3, 3), np.uint8)) == 0))
    if not len(border):
        border = np.argwhere(solid == 1)
    nearest = border[cKDTree(border).query(np.argwhere(holes))[1]]
    filled = classes.copy()
    filled[holes] = classes[nearest[:, 0], nearest[:, 1]]
    return filled
