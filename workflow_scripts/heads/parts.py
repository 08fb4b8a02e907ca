"""The pieces a head is put together from, and how they become one mesh to rasterise."""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np


class Material(IntEnum):
    """How a triangle is shaded."""

    SKIN = 0
    EYE = 1
    TEETH = 2
    HAIR = 3
    CLOTH = 4
    FRAME = 5
    LASH = 6


@dataclass(frozen=True)
class Part:
    """A mesh piece; n vertices, m triangles.

    Attributes:
        rest: (n, 3) float cm positions on the mean head (SurfaceBuffer.rest_position).
        shaped: (n, 3) float cm positions after identity and expression, same frame, before the pose.
        triangles: (m, 3) int, counter-clockwise seen from outside.
        classes: (m,) uint8 FaceSynthetics ids.
        material: how it is shaded.
        coordinates: (n, 3) float texture coordinates; their meaning is the material's own.
        colour: (n, 3) float linear RGB albedo, where the material does not make its own.
        two_sided: thin sheets and ribbons are seen from both sides.
        sway: (n,) float fraction of the head's rotation that the vertex follows; None lets the height decide.
    """

    rest: np.ndarray
    shaped: np.ndarray
    triangles: np.ndarray
    classes: np.ndarray
    material: Material
    coordinates: np.ndarray
    colour: np.ndarray
    two_sided: bool = False
    sway: np.ndarray | None = None

    def with_shape(self, shaped: np.ndarray) -> "Part":
        """The same piece with other shaped positions (n, 3)."""
        return replace(self, shaped=shaped)


def make_part(
    rest: np.ndarray,
    triangles: np.ndarray,
    face_class: int | np.ndarray,
    material: Material,
    shaped: np.ndarray | None = None,
    coordinates: np.ndarray | None = None,
    colour: np.ndarray | tuple[float, float, float] = (0.5, 0.5, 0.5),
    two_sided: bool = False,
    sway: float | np.ndarray | None = None,
) -> Part:
    """A part with the usual defaults filled in; scalars are spread over triangles or vertices."""
    count = len(rest)
    return Part(
        rest=rest,
        shaped=rest if shaped is None else shaped,
        triangles=triangles,
        classes=np.broadcast_to(np.asarray(face_class, dtype=np.uint8), len(triangles)),
        material=material,
        coordinates=np.zeros((count, 3)) if coordinates is None else coordinates,
        colour=np.broadcast_to(np.asarray(colour, dtype=float), (count, 3)),
        two_sided=two_sided,
        sway=None if sway is None else np.broadcast_to(np.asarray(sway, dtype=float), count),
    )


@dataclass(frozen=True)
class Assembly:
    """All parts as one mesh; attributes as in Part, material, two_sided and part (its index) now by triangle."""

    rest: np.ndarray
    shaped: np.ndarray
    triangles: np.ndarray
    classes: np.ndarray
    material: np.ndarray
    part: np.ndarray
    two_sided: np.ndarray
    coordinates: np.ndarray
    colour: np.ndarray
    sway: np.ndarray


def head_fraction(rest: np.ndarray) -> np.ndarray:
    """Fraction (n,) of the head's rotation that a point at rest (n, 3) follows: 1 above the jaw, 0 on the torso."""
    height = np.clip((rest[:, 1] + 15.5 + 0.25 * rest[:, 2]) / 8.0, 0.0, 1.0)
    return height * height * (3 - 2 * height)


def assemble(parts: list[Part]) -> Assembly:
    """Concatenate parts; triangle indices are renumbered."""
    offsets = np.cumsum([0] + [len(p.rest) for p in parts])
    counts = [len(p.triangles) for p in parts]
    return Assembly(
        rest=np.concatenate([p.rest for p in parts]),
        shaped=np.concatenate([p.shaped for p in parts]),
        triangles=np.concatenate([p.triangles + start for p, start in zip(parts, offsets, strict=False)]),
        classes=np.concatenate([p.classes for p in parts]),
        material=np.repeat([p.material for p in parts], counts).astype(np.uint8),
        part=np.repeat(np.arange(len(parts)), counts),
        two_sided=np.repeat([p.two_sided for p in parts], counts),
        coordinates=np.concatenate([p.coordinates for p in parts]),
        colour=np.concatenate([p.colour for p in parts]),
        sway=np.concatenate([head_fraction(p.rest) if p.sway is None else p.sway for p in parts]),
    )
