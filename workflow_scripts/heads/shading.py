"""From visible surface to linear RGB: a small set of materials under one key light and soft surroundings."""

from dataclasses import dataclass, replace

import numpy as np

from heads.features import EYE_RADIUS
from heads.lighting import Lighting

_SCLERA = np.array([0.38, 0.35, 0.33])


@dataclass(frozen=True)
class Points:
    """Visible surface points to shade (P of them), camera space unless said otherwise.

    Attributes:
        rest: (P, 3) cm on the mean head.
        normal, view: (P, 3) unit vectors, outward and towards the camera.
        lit: (P,) fraction of the key light that arrives.
        openness: (P,) fraction of the soft light that arrives.
        coordinates: (P, 3) of the material.
        colour: (P, 3) linear RGB albedo.
    """

    rest: np.ndarray
    normal: np.ndarray
    view: np.ndarray
    lit: np.ndarray
    openness: np.ndarray
    coordinates: np.ndarray
    colour: np.ndarray

    def of(self, chosen: np.ndarray) -> "Points":
        """The points with the given indices or mask."""
        return Points(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (n, 3)."""
    x, y, z = vectors.T
    length = np.sqrt(x * x + y * y + z * z)
    return vectors / np.maximum(length, 1e-9)[:, None]


def soft_light(normal: np.ndarray, lighting: Lighting) -> np.ndarray:
    """Irradiance (P, 3) from sky, ground and both sides, by the cosine-like fraction of the hemisphere that is each."""
    up, right = 0.5 * normal[:, 1], normal[:, 0]
    fractions = np.stack([0.5 + up, 0.5 - up, np.maximum(right, 0) ** 2, np.maximum(-right, 0) ** 2], axis=1)
    return fractions @ np.stack([lighting.sky, lighting.ground, lighting.right, lighting.left]).astype(normal.dtype)


def diffuse(points: Points, lighting: Lighting, wrap: np.ndarray | float = 0.0) -> np.ndarray:
    """Diffuse radiance factor (P, 3); wrap (3,) lets light creep past the terminator, red farthest in skin."""
    cosine = (points.normal @ lighting.direction)[:, None]
    around = np.clip((cosine + wrap) / (1 + np.asarray(wrap)), 0, None)
    # Shadow edges in skin bleed red too: a little of the key light passes where the wrap lets it.
    lit = points.lit[:, None] ** (1 - 0.6 * np.asarray(wrap))
    return lighting.key * around * lit + soft_light(points.normal, lighting) * points.openness[:, None]


def gloss(points: Points, lighting: Lighting, exponent: float, strength: float | np.ndarray) -> np.ndarray:
    """Blinn-Phong highlight (P, 3) of the key light with Schlick's Fresnel, and a grazing sheen of the sky."""
    half = normalised(lighting.direction + points.view)
    aligned = np.clip(np.einsum("ij,ij->i", points.normal, half), 0, 1)
    grazing = (1 - np.clip(np.einsum("ij,ij->i", points.normal, points.view), 0, 1)) ** 5
    cosine = np.clip(points.normal @ lighting.direction, 0, 1)
    fresnel = 0.035 + 0.965 * (1 - np.clip(points.view @ lighting.direction * 0.5 + 0.5, 0, 1)) ** 5
    peak = (exponent + 8) / 8 * aligned**exponent * cosine * fresnel * points.lit
    sky = soft_light(points.normal, lighting) * (0.12 * grazing * points.openness)[:, None]
    return (lighting.key * peak[:, None] + sky) * np.asarray(strength).reshape(-1, 1)


def shade_cloth(points: Points, lighting: Lighting) -> np.ndarray:
    """Matt textile with a soft sheen: (P, 3).

    Coordinates are cm around and down, and the pattern: its integer part the kind (0 plain, 1 stripes, 2 checks,
    3 knit, 4 ribs), its fraction the size.
    """
    around, down, pattern = points.coordinates.T
    kind = np.floor(pattern + 1e-4)
    size = 2.2 + 4.0 * (pattern - kind)
    across, along = np.cos(around * size), np.cos(down * size)
    tone = np.select(
        [kind == 1, kind == 2, kind == 3, kind == 4],
        [
            np.where(along > 0.2, 0.45, 1.0),
            0.55 + 0.3 * (across > 0) + 0.3 * (along > 0),
            0.86 + 0.14 * np.cos(around * 9 + np.abs((down * 3) % 2 - 1) * 6),
            0.80 + 0.20 * np.cos(around * 7),
        ],
        1.0,
    )
    weave = 1 + 0.05 * np.sin(points.rest[:, 0] * 41 + points.rest[:, 1] * 17) * np.sin(points.rest[:, 1] * 43)
    albedo = points.colour * (tone * weave)[:, None]
    return albedo * diffuse(points, lighting, 0.1) + gloss(points, lighting, 6.0, 0.22)


def shade_frame(points: Points, lighting: Lighting) -> np.ndarray:
    """Polished plastic or metal: (P, 3)."""
    return points.colour * diffuse(points, lighting) + gloss(points, lighting, 70.0, 1.6)


def shade_hair(points: Points, lighting: Lighting, turn: np.ndarray) -> np.ndarray:
    """Strands by Kajiya and Kay's (1989) diffuse and highlight terms: (P, 3).

    Args:
        points: coordinates hold the tangent in the head's frame.
        lighting: the light.
        turn: (3, 3) rotation of the head.
    """
    tangent = normalised(points.coordinates) @ turn.T
    to_light, to_eye = tangent @ lighting.direction, np.einsum("ij,ij->i", tangent, points.view)
    sine_light, sine_eye = np.sqrt(np.maximum(1 - to_light**2, 0)), np.sqrt(np.maximum(1 - to_eye**2, 0))
    cosine = points.normal @ lighting.direction
    facing = np.clip(0.35 + 0.65 * cosine, 0.0, 1) * points.lit
    highlight = np.clip(sine_light * sine_eye - to_light * to_eye, 0, 1) ** 28 * facing
    soft = soft_light(points.normal, lighting) * points.openness[:, None]
    body = points.colour * (lighting.key * (0.7 * sine_light * facing)[:, None] + 0.75 * soft)
    sheen = (0.05 + 0.35 * points.colour) * lighting.key * highlight[:, None] * 0.55
    return body + sheen


def shade_teeth(points: Points, lighting: Lighting) -> np.ndarray:
    """Enamel with dark gaps, gums above 15 % of the height, darker towards the back of the mouth: (P, 3)."""
    number, down = points.coordinates[:, 0], points.coordinates[:, 1]
    gap = np.abs(number - np.rint(number))
    enamel = np.array([0.66, 0.60, 0.50]) * (0.35 + 0.65 * np.clip(gap / 0.07, 0, 1))[:, None]
    gum = np.clip((0.22 - 0.10 * np.sin(np.pi * (number % 1.0)) - down) / 0.05 + 0.5, 0, 1)[:, None]
    albedo = enamel * (1 - gum) + gum * np.array([0.42, 0.13, 0.12])
    depth = np.clip((points.rest[:, 2] - 5.4) / 3.0, 0.05, 1)[:, None]
    return (albedo * diffuse(points, lighting, 0.3) + gloss(points, lighting, 60.0, 1.0)) * depth * 0.8


def shade_eye(points: Points, lighting: Lighting, iris: np.ndarray, gaze: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Sclera, limbus, iris, pupil and the wet highlight: (P, 3).

    Args:
        points: coordinates are unit directions from the eyeball's centre, in the head's frame.
        lighting: the light.
        iris: (3,) linear RGB.
        gaze: (3,) unit direction of sight in the head's frame.
        turn: (3, 3) rotation of the head, for the highlight's normal.
    """
    direction = normalised(points.coordinates)
    away = np.arccos(np.clip(direction @ gaze, -1, 1)) * EYE_RADIUS
    aside = np.cross((0.0, 1.0, 0.0), gaze)
    spokes = np.arctan2(direction @ np.cross(gaze, aside), direction @ aside)
    fibres = 1 + 0.22 * np.sin(29 * spokes + 3 * np.sin(7 * spokes)) * np.clip(away / 0.5, 0, 1)
    ring = np.clip((away - 0.22) / 0.3, 0, 1)[:, None]
    coloured = iris * fibres[:, None] * (0.75 + 0.7 * ring * (1 - ring) * 2) + 0.02
    rim = np.clip((away - 0.50) / 0.09, 0, 1)[:, None]
    coloured = coloured * (1 - 0.75 * rim)
    pupil = np.clip((0.23 - away) / 0.04 + 0.5, 0, 1)[:, None]
    coloured = coloured * (1 - pupil) + 0.004 * pupil
    outside = np.clip((away - 0.60) / 0.05 + 0.5, 0, 1)[:, None]
    side = np.clip(np.abs(direction[:, 0:1]) * 1.3 - 0.45, 0, 1)
    sclera = _SCLERA * (1 - side * np.array([0.12, 0.38, 0.36]))
    albedo = coloured * (1 - outside) + sclera * outside
    # The upper lid and its lashes shade the ball below them.
    lid = np.clip(1.0 - 1.7 * np.clip(direction[:, 1] - 0.02, 0, 1), 0.25, 1)[:, None]
    bulge = normalised(direction + 0.55 * gaze * np.clip(1 - away / 0.75, 0, 1)[:, None])
    cornea = replace(points, normal=bulge @ turn.T)
    half = normalised(lighting.direction + points.view)
    spark = np.clip(np.einsum("ij,ij->i", cornea.normal, half), 0, 1) ** 420 * (0.4 + 0.6 * points.lit)
    window = np.clip(np.einsum("ij,ij->i", cornea.normal, normalised(points.view + (0.25, 0.75, 0.3))), 0, 1) ** 500
    shine = lighting.key * (1.1 * spark)[:, None] + lighting.sky * (0.30 * window)[:, None]
    return albedo * lid * diffuse(points, lighting, 0.25) + shine * lid + gloss(cornea, lighting, 40.0, 0.4) * lid
