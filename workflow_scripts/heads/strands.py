"""Hair as ribbons: strands grown from roots under gravity, combing and curl, kept outside the head."""

from dataclasses import dataclass

import numpy as np

from heads.parts import Material, Part, make_part
from tfake.mesh.topology import unit

#: An ellipsoid just outside the skull that strands may not enter: centre and radii, cm.
_SKULL_CENTRE, _SKULL_RADII = np.array([0.0, 3.4, 0.2]), np.array([7.75, 9.75, 10.0])


@dataclass(frozen=True)
class Growth:
    """How strands grow.

    Attributes:
        length: (N,) cm.
        lift: fraction of the skin's normal in the first direction, 0 lies flat.
        cling: how much of any later rise from the head is taken away, 0..1.
        volume: cm above the skull that strands may reach.
        gravity: pull downwards a step, 0..1.
        comb: (N, 3) tangential direction hair is combed in, any length.
        curl: radius of the curls, cm.
        turns: curls a strand.
        width: of a ribbon at its middle, cm.
        segments: of a ribbon.
    """

    length: np.ndarray
    lift: float
    cling: float
    volume: float
    gravity: float
    comb: np.ndarray
    curl: float
    turns: float
    width: float
    segments: int


def settle(points: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Hold points (N, 3) between two shells around the skull, floor and ceiling (N,) cm outside its ellipsoid."""
    scaled = (points - _SKULL_CENTRE) / _SKULL_RADII
    radius = np.maximum(np.linalg.norm(scaled, axis=1), 1e-6)
    # The skull ends at nape and cheeks: below, hair hangs free, first outwards and then inwards, too.
    held_down = np.clip((points[:, 1] - 2.0) / 4.0, 0, 1) * np.maximum(radius - (1 + ceiling / 9.0), 0)
    held_up = np.clip((points[:, 1] + 7.0) / 4.0, 0, 1) * np.maximum(1 + floor / 9.0 - radius, 0)
    return points + ((held_up - held_down) / radius)[:, None] * scaled * _SKULL_RADII


def grow(
    rng: np.random.Generator, roots: np.ndarray, normals: np.ndarray, growth: Growth, free: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Grow centre lines.

    Args:
        rng: source of randomness.
        roots, normals: (N, 3) where and which way strands leave the skin, at rest.
        growth: how.
        free: strands do not collide with the skull (beards).

    Returns:
        Points (N, K + 1, 3) cm and the side vectors (N, K + 1, 3) of the ribbons.
    """
    count, steps = len(roots), growth.segments
    tangential = growth.comb - np.einsum("ij,ij->i", growth.comb, normals)[:, None] * normals
    heading = unit(growth.lift * normals + unit(tangential) + rng.normal(0, 0.12, (count, 3)))
    step = (growth.length / steps)[:, None]
    points = np.empty((count, steps + 1, 3))
    points[:, 0] = roots
    layer = rng.uniform(0.0, 1.0, count)
    for k in range(steps):
        heading = unit(heading + growth.gravity * np.array([0, -1.0, 0]) + rng.normal(0, 0.05, (count, 3)))
        if not free:
            # Below the widest place of the head nothing keeps a strand from hanging straight.
            outward = unit(np.maximum(points[:, k] - _SKULL_CENTRE, (-np.inf, 0.0, -np.inf)))
            rise = np.clip(np.einsum("ij,ij->i", heading, outward), 0, None)[:, None]
            heading = unit(heading - growth.cling * rise * outward) if k else heading
        reached = points[:, k] + step * heading
        if not free:
            reached = settle(reached, 0.05 + 0.3 * layer, 0.15 + growth.volume * (0.3 + 0.7 * layer))
        heading = unit(0.3 * heading + 0.7 * unit(reached - points[:, k]))
        points[:, k + 1] = reached
    outward = np.repeat(normals[:, None], steps + 1, axis=1) if free else unit(points - _SKULL_CENTRE)
    tangents = unit(np.gradient(points, axis=1))
    lateral = unit(np.cross(tangents, outward))
    if growth.curl:
        phase = rng.uniform(0, 2 * np.pi, (count, 1)) + 2 * np.pi * growth.turns * np.linspace(0, 1, steps + 1)
        away = np.linspace(0, 1, steps + 1) ** 0.5 * growth.curl
        points = points + (away * np.cos(phase))[..., None] * lateral + (away * np.sin(phase))[..., None] * outward
    return points, _twisted(rng, tangents, lateral)


def gather(
    rng: np.random.Generator, roots: np.ndarray, knot: np.ndarray, segments: int
) -> tuple[np.ndarray, np.ndarray]:
    """Centre lines that run tightly over the skull from roots (N, 3) to a knot (3,); results as of `grow`."""
    fraction = np.linspace(0, 1, segments + 1)
    points = roots[:, None] + fraction[:, None] * (knot + rng.normal(0, 0.35, (len(roots), 1, 3)) - roots[:, None])
    floor = rng.uniform(0.02, 0.30, len(roots))
    for k in range(1, segments + 1):
        points[:, k] = settle(points[:, k], floor, floor + 0.1)
    tangents = unit(np.gradient(points, axis=1))
    return points, _twisted(rng, tangents, unit(np.cross(tangents, unit(points - _SKULL_CENTRE))))


def _twisted(rng: np.random.Generator, tangents: np.ndarray, lateral: np.ndarray) -> np.ndarray:
    """Side vectors (N, K, 3) of ribbons that lie on the head but for a random twist of each strand."""
    twist = rng.normal(0, 0.5, (len(tangents), 1, 1))
    return np.cos(twist) * lateral + np.sin(twist) * np.cross(tangents, lateral)


def ribbons(
    rng: np.random.Generator,
    points: np.ndarray,
    sides: np.ndarray,
    width: float,
    colour: np.ndarray,
    face_class: int,
    root_shade: float = 0.55,
) -> Part:
    """Turn centre lines (N, K + 1, 3) into tapered two-sided ribbons with streaks of colour.

    Their texture coordinates are the tangents in the head's frame.
    """
    count, rows = points.shape[:2]
    along = np.linspace(0, 1, rows)
    taper = np.minimum(1.0, 1.5 * (1 - along) + 0.06)[None, :, None]
    half = 0.5 * width * rng.uniform(0.6, 1.3, (count, 1, 1)) * taper * sides
    vertices = np.stack([points - half, points + half], axis=2).reshape(-1, 3)
    tangents = np.repeat(unit(np.gradient(points, axis=1))[:, :, None], 2, axis=2).reshape(-1, 3)
    streak = np.exp(rng.normal(0, 0.22, (count, 1, 2, 1))) * rng.uniform(0.85, 1.15, (count, 1, 1, 1))
    depth = (root_shade + (1 - root_shade) * np.clip(along * 2.2, 0, 1))[None, :, None, None]
    shade = (streak * depth * (1 + 0.12 * along[None, :, None, None]) * colour).reshape(-1, 3)
    quad = np.arange(rows - 1)[:, None] * 2 + np.array([0, 2, 1, 1, 2, 3])
    triangles = (np.arange(count)[:, None, None] * 2 * rows + quad).reshape(-1, 3)
    return make_part(vertices, triangles, face_class, Material.HAIR, coordinates=tangents, colour=shade, two_sided=True)
