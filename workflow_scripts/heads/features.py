"""Ears, eyeballs, teeth and tongue: the parts of a head that are meshes of their own, at rest."""

from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from heads.parts import Material, Part, make_part
from tfake.core.classes import FaceClass
from tfake.mesh import template
from tfake.mesh.topology import grid_triangles

#: The eyeball is drawn larger than life (1.2 cm) so that it closes the corners of the lids from inside.
EYE_RADIUS = 1.75
EYE_CENTRE = {"right": np.array([-3.12, 1.98, 6.58]), "left": np.array([3.12, 1.98, 6.58])}
_EAR_ANCHOR = np.array([6.75, 0.25, -0.1])

#: Relief of the ear from the canal to the rim and back to the skull: fraction of the outline, height in cm.
_EAR_PROFILE = np.array(
    [
        (0.00, -0.75),
        (0.18, -0.70),
        (0.34, -0.50),
        (0.46, 0.02),
        (0.56, 0.22),
        (0.66, 0.10),
        (0.76, -0.08),
        (0.86, 0.02),
        (0.93, 0.26),
        (0.99, 0.26),
        (1.02, 0.08),
        (0.97, -0.14),
        (0.80, -0.36),
        (0.55, -0.80),
        (0.40, -1.50),
    ]
)


@lru_cache(maxsize=2)
def ear(side: str) -> Part:
    """The outer ear: concha, antihelix, helix and lobe as a radial relief, and its back.

    Args:
        side: "right" or "left", the subject's.

    Returns:
        A skin part, closed towards the head.
    """
    columns = 32
    angle = 2 * np.pi * np.arange(columns) / columns
    up, back = np.cos(angle), np.sin(angle)
    outline = 1 / np.sqrt((up / np.where(up > 0, 3.3, 3.1)) ** 2 + (back / np.where(back > 0, 2.15, 1.15)) ** 2)
    outline *= 1 + 0.08 * np.exp(-(((angle - 0.7) / 0.5) ** 2)) - 0.10 * np.exp(-(((angle - 2.45) / 0.45) ** 2))
    lobe = np.exp(-(((angle - np.pi) / 0.75) ** 2))
    front = np.exp(-(((angle - 1.5 * np.pi) / 0.75) ** 2))
    fraction, relief = _EAR_PROFILE[:, 0, None], _EAR_PROFILE[:, 1, None]
    middle = ((fraction > 0.4) & (fraction < 0.9)) & (np.arange(len(fraction))[:, None] < 9)
    height = np.where(middle, relief * (1 - 0.6 * lobe) + 0.10 * lobe, relief)
    height = np.where(np.arange(len(fraction))[:, None] < 11, height * (1 - 0.55 * front), height)
    height -= 0.35 * front * np.clip(fraction, 0.5, 1) * (np.arange(len(fraction))[:, None] >= 4)
    radius = fraction * outline
    along, across = radius * up, radius * back
    # The ear leans back by 12 degrees and stands off the head by 28 degrees, hinged at its front edge.
    lean, stand = np.radians(-12), np.radians(28)
    y = along * np.cos(lean) + across * np.sin(lean)
    behind = across * np.cos(lean) - along * np.sin(lean)
    x = (behind + 1.1) * np.sin(stand) + height * np.cos(stand)
    z = -behind * np.cos(stand) + height * np.sin(stand)
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3) + _EAR_ANCHOR
    triangles = grid_triangles(len(_EAR_PROFILE), columns, closed=True)[:, ::-1]
    ear_class = FaceClass.LEFT_EAR
    if side == "right":
        points, triangles, ear_class = points * (-1, 1, 1), triangles[:, ::-1], FaceClass.RIGHT_EAR
    return make_part(points, triangles, ear_class, Material.SKIN)


@lru_cache(maxsize=2)
def eyeball(side: str) -> Part:
    """The front of an eyeball; coordinates are unit directions from its centre.

    Args:
        side: "right" or "left", the subject's.

    Returns:
        An eye part of its own class.
    """
    rows, columns = 14, 28
    polar = np.linspace(0.0, 0.62 * np.pi, rows)[:, None]
    angle = 2 * np.pi * np.arange(columns)[None] / columns
    direction = np.stack(
        [np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar) * np.ones_like(angle)], axis=-1
    ).reshape(-1, 3)
    triangles = grid_triangles(rows, columns, closed=True)
    eye_class = FaceClass.LEFT_EYE if side == "left" else FaceClass.RIGHT_EYE
    return make_part(
        EYE_CENTRE[side] + EYE_RADIUS * direction, triangles, eye_class, Material.EYE, coordinates=direction
    )


@lru_cache(maxsize=2)
def teeth(jaw: str) -> Part:
    """One row of teeth on its arch; coordinates are (tooth number, height from the gum 0..1, 0).

    Args:
        jaw: "upper" or "lower".

    Returns:
        A part of class MOUTH_INTERIOR.
    """
    columns, rows = 41, 5
    half = 2.35 if jaw == "upper" else 2.1
    x = np.linspace(-half, half, columns)[None]
    down = np.linspace(0.0, 1.0, rows)[:, None]
    number = x / 0.72 if jaw == "upper" else x / 0.56
    bulge = 0.10 * np.sqrt(np.clip(1 - (2 * (number % 1.0) - 1) ** 2, 0, 1))
    arch = (8.35 if jaw == "upper" else 8.05) - 0.30 * x**2 + bulge
    curve = 0.06 * np.abs(x)
    y = -4.0 - 1.42 * down + curve if jaw == "upper" else -6.35 + 1.12 * down + curve
    z = arch + 0.12 * np.sin(np.pi * down) - 0.05 * down
    points = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    coordinates = np.stack(np.broadcast_arrays(number, down, 0.0), axis=-1).reshape(-1, 3)
    triangles = grid_triangles(rows, columns)
    return make_part(
        points, triangles, FaceClass.MOUTH_INTERIOR, Material.TEETH, coordinates=coordinates, two_sided=True
    )


@lru_cache(maxsize=1)
def tongue() -> Part:
    """The tongue, a flattened dome in the lower jaw, of class MOUTH_INTERIOR."""
    rows, columns = 8, 20
    polar = np.linspace(0.02, np.pi - 0.02, rows)[:, None]
    angle = 2 * np.pi * np.arange(columns)[None] / columns
    x = 1.55 * np.sin(polar) * np.cos(angle)
    y = -5.95 + 0.5 * np.cos(polar) - 0.12 * np.exp(-((x / 0.3) ** 2))
    z = 5.6 + 2.2 * np.sin(polar) * np.sin(angle)
    points = np.stack(np.broadcast_arrays(x, y, z), axis=-1).reshape(-1, 3)
    triangles = grid_triangles(rows, columns, closed=True)
    return make_part(points, triangles, FaceClass.MOUTH_INTERIOR, Material.SKIN, two_sided=True)


def lashes(control: np.ndarray, side: str, length: float) -> Part:
    """The upper lashes as a dark strip that leaves the edge of the lid forwards.

    Args:
        control: (n, 3) shaped control positions of the head.
        side: "right" or "left", the subject's.
        length: cm.

    Returns:
        A part of class SKIN, as FaceSynthetics labels lashes.
    """
    edge = CubicSpline(np.linspace(0, 1, 9), control[list(template.UPPER_LID[side])])(np.linspace(0.0, 0.97, 26))
    fraction = np.linspace(0, 1, 26)[:, None]
    full = np.sin(np.pi * np.clip(fraction * 0.9 + 0.1, 0, 1)) ** 0.5
    outside = (1.0 if side == "left" else -1.0) * (0.9 - fraction)
    reach = np.concatenate([0.35 * outside, 0.30 * full, 0.85 * full], axis=1) * length
    rows = [edge + (0, 0.055, 0.03) * full, edge + (0, -0.035, 0.05) * full, edge + (0, -0.01, 0.05) + reach]
    points = np.concatenate(rows)
    return make_part(points, grid_triangles(3, 26), FaceClass.SKIN, Material.LASH, two_sided=True, sway=1.0)
