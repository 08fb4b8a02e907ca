"""What the face does: jaw, lips, cheeks, brows and lids moved by hand-made displacement fields."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from heads.features import EYE_RADIUS
from tfake.core.codes import EXPRESSION_PARAMETERS
from tfake.mesh import template
from tfake.mesh.head import head_mesh

_JAW_AXIS = np.array([0.0, 0.4, 0.3])


@dataclass(frozen=True)
class Expression:
    """Strengths of the movements; 0 is rest, 1 is strong.

    Attributes:
        jaw_degrees: opening of the jaw about the ears.
        smile: corners of the mouth up and out (negative: down).
        pucker: lips forward and together.
        show_teeth: upper lip up, lower lip down.
        brow_raise: (right, left).
        frown: brows down and together.
        lids: (right, left) closure, 1 is closed, negative is wide open.
        gaze: (right, up) rotation of the eyes in degrees as seen by the camera in front.
        corners: (right, left) corners of the mouth, each on top of ``smile``.
        stretch: corners of the mouth outwards alone.
        cheek_puff: cheeks blown up.
        nose_wrinkle: wings of the nose and upper lip up, the root of the nose down.
        inner_brow: inner ends of the brows up.
        lip_press: lips rolled in.
    """

    jaw_degrees: float
    smile: float
    pucker: float
    show_teeth: float
    brow_raise: tuple[float, float]
    frown: float
    lids: tuple[float, float]
    gaze: tuple[float, float]
    corners: tuple[float, float] = (0.0, 0.0)
    stretch: float = 0.0
    cheek_puff: float = 0.0
    nose_wrinkle: float = 0.0
    inner_brow: float = 0.0
    lip_press: float = 0.0


def movements(expression: Expression) -> np.ndarray:
    """The movements in the order of :data:`tfake.core.codes.EXPRESSION_PARAMETERS`, (16,) float64."""
    paired = {"brow_raise": "brow_raise", "lid": "lids", "corner": "corners"}
    values = []
    for name in EXPRESSION_PARAMETERS:
        stem, _, side = name.rpartition("_")
        if side in ("right", "left"):
            values.append(getattr(expression, paired[stem])[side == "left"])
        else:
            values.append(getattr(expression, name))
    return np.array(values, float)


def draw_expression(rng: np.random.Generator, neutral: bool) -> Expression:
    """Draw an expression; neutral keeps the mouth nearly closed and the eyes open."""
    kind = rng.choice(5, p=(0.42, 0.25, 0.12, 0.13, 0.08))
    jaw, smile, pucker, show = rng.gamma(1.0, 0.45), rng.normal(0, 0.15), 0.0, 0.0
    if kind == 1:
        smile, show = rng.uniform(0.3, 1.0), rng.uniform(0.0, 0.8)
        jaw += 5.0 * show
    elif kind == 2:
        jaw, show = rng.uniform(5, 17), rng.uniform(0, 0.5)
    elif kind == 3:
        smile, pucker = rng.uniform(-0.7, 0.1), rng.uniform(0, 0.7)
    elif kind == 4:
        jaw, show, smile = rng.uniform(2, 9), rng.uniform(0.5, 1.0), rng.uniform(-0.5, 0.6)
    raised = max(0.0, rng.normal(0.05, 0.4))
    closure = float(np.clip(rng.normal(0.13, 0.12) + 0.20 * max(smile, 0.0), -0.25, 0.5))
    lids = [closure + rng.normal(0, 0.02), closure + rng.normal(0, 0.02)]
    shut = rng.uniform()
    if shut < 0.06:
        lids = [1.0, 1.0]
    elif shut < 0.09:
        lids[rng.integers(2)] = 1.0
    gaze = np.clip(rng.normal(0, (11, 6)), -28, 16)
    frown = max(0.0, rng.normal(-0.1, 0.5))
    if neutral:
        jaw, pucker, show, frown, raised = min(jaw, 1.0), 0.0, 0.0, 0.2 * frown, 0.3 * raised
        smile, lids, gaze = 0.3 * np.clip(smile, -0.5, 0.7), [min(closure, 0.25)] * 2, 0.3 * gaze
    return Expression(
        jaw_degrees=float(jaw),
        smile=float(smile),
        pucker=float(pucker),
        show_teeth=float(show),
        brow_raise=(raised + rng.normal(0, 0.1), raised + rng.normal(0, 0.1)),
        frown=frown,
        lids=tuple(map(float, lids)),
        gaze=tuple(gaze),
    )


def _near(points: np.ndarray, centre: tuple[float, float, float], width: tuple[float, float, float]) -> np.ndarray:
    """Gaussian window (n,) around a place."""
    offset = (points - centre) / width
    return np.exp(-0.5 * np.einsum("ij,ij->i", offset, offset))


def _step(values: np.ndarray) -> np.ndarray:
    """Smooth step from 0 to 1 between the values 0 and 1."""
    t = np.clip(values, 0.0, 1.0)
    return t * t * (3 - 2 * t)


def turn_about_jaw(points: np.ndarray, degrees: float) -> np.ndarray:
    """Points (n, 3) turned with the lower jaw about the axis through its joints."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return (points - _JAW_AXIS) @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]) + _JAW_AXIS


def jaw_fraction(points: np.ndarray) -> np.ndarray:
    """Fraction (n,) of the jaw's rotation that rest points (n, 3) follow, lips told apart by height alone."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    sideways = np.clip((x - 2.4) / 3.5, 0, 1)
    boundary = -5.05 + 1.3 * sideways
    soft = 0.5 + 2.6 * sideways + 1.5 * np.clip((7.6 - z) / 6, 0, 1)
    fraction = _step((boundary - y) / soft * 0.75 + 0.1)
    return fraction * _step((points[:, 1] + 13.0) / 3.5) * _step((z + 0.5) / 5.0)


@lru_cache(maxsize=1)
def _control_jaw_fraction() -> np.ndarray:
    """The same of the control mesh (n,), where topology tells upper from lower lip and the cavity's floor."""
    mesh = head_mesh()
    fraction = jaw_fraction(mesh.control)
    upper, lower = np.array(template.UPPER_LIP), np.array(template.LOWER_LIP)
    blend = np.array([0.45, 0.78, 0.93, 1.0, 1.0, 1.0, 1.0, 1.0, 0.93, 0.78, 0.45])
    fraction[upper] = np.minimum(1 - blend, 0.45) * 0.9
    fraction[lower] = blend
    above = mesh.control[:, 1] > -4.9
    face = np.arange(len(fraction)) < template.FACE_VERTICES
    fraction[face & above & (np.abs(mesh.control[:, 0]) < 2.3) & ~np.isin(np.arange(len(fraction)), lower)] *= 0.2
    bag = len(mesh.control) - 80
    ring = (template.UPPER_LIP[3] + template.LOWER_LIP[3][-2:0:-1])[::-1]
    fraction[bag:] = np.tile(fraction[list(ring)], 4)
    return fraction


@lru_cache(maxsize=1)
def _lid_operator() -> tuple[np.ndarray, np.ndarray]:
    """Fraction (2, 2, n) of right/left upper/lower lid motion, and signed gap (2, 2, n) to the closed line, cm."""
    control = head_mesh().control
    fraction = np.zeros((2, 2, len(control)))
    gap = np.zeros((2, 2, len(control)))
    for e, side in enumerate(("right", "left")):
        upper, lower = list(template.UPPER_LID[side]), list(template.LOWER_LID[side])
        closed = 0.22 * control[upper, 1] + 0.78 * control[lower, 1]
        order = np.argsort(control[upper, 0])
        line = np.interp(control[:, 0], control[upper, 0][order], closed[order])
        for k, lid in enumerate((upper, lower)):
            order = np.argsort(control[lid, 0])
            edge = np.interp(control[:, 0], control[lid, 0][order], control[lid, 1][order])
            outside = (control[:, 1] - edge) * (1 if k == 0 else -1)
            near = np.clip(1 - np.abs(outside) / (1.1 if k == 0 else 0.7), 0, 1) * (outside > -0.12)
            x = np.abs(control[:, 0] - control[lid, 0].mean())
            near *= _step((1.75 - x) / 0.5) * (control[:, 2] > 6.0)
            fraction[e, k] = _step(near)
            fraction[e, k, lid] = 1.0
            gap[e, k] = line - edge
    return fraction, gap


def express(shaped: np.ndarray, expression: Expression, eyes: dict[str, np.ndarray]) -> np.ndarray:
    """Move the control mesh of a person into an expression.

    Args:
        shaped: (n, 3) float cm control positions after identity.
        expression: what the face does.
        eyes: centre (3,) cm of the right and the left eyeball; lids are kept outside them.

    Returns:
        (n, 3) float cm.
    """
    rest = head_mesh().control
    moved = shaped.copy()
    side = np.sign(rest[:, 0])
    folded = np.column_stack([np.abs(rest[:, 0]), rest[:, 1:]])

    smile = expression.smile
    corner = smile * _near(folded, (2.7, -5.0, 8), (1.15, 1.0, 2.5))
    outwards, upwards, forwards = (0.50, 0.55, -0.30) if smile > 0 else (-0.10, 0.55, 0.0)
    moved += corner[:, None] * np.column_stack([outwards * side, 0 * side + upwards, 0 * side + forwards])
    cheek = max(smile, 0) * _near(folded, (4.0, -1.3, 8), (1.5, 1.0, 2.5))
    moved[:, 1:] += cheek[:, None] * (0.38, 0.34)
    lips = _near(rest, (0, -5.0, 9.3), (2.4, 0.9, 1.6))
    moved[:, 0] -= 0.30 * expression.pucker * rest[:, 0] * lips
    moved[:, 2] += 0.55 * expression.pucker * lips * np.exp(-((rest[:, 0] / 2.2) ** 2))
    upper_lip = _near(rest, (0, -4.4, 9.5), (1.9, 0.8, 1.5))
    upper_lip[np.unique(template.LOWER_LIP)] = 0
    lower_lip = _near(rest, (0, -5.8, 9.3), (1.8, 0.7, 1.5))
    lower_lip[np.unique(template.UPPER_LIP)] = 0
    show, opened = expression.show_teeth, np.clip(expression.jaw_degrees / 14, 0, 1)
    moved[:, 1] += (0.34 * show + 0.22 * opened) * upper_lip - 0.30 * show * lower_lip

    for raised, sign in zip(expression.brow_raise, (-1, 1), strict=True):
        moved[:, 1] += 0.55 * raised * _near(rest, (sign * 3.3, 4.0, 8.5), (1.7, 0.95, 3.0))
    inner = _near(folded, (1.6, 3.6, 9.3), (1.0, 0.8, 2.0))
    moved[:, 1] -= 0.34 * expression.frown * inner
    moved[:, 0] -= 0.22 * expression.frown * inner * side

    _move_singly(moved, rest, expression)
    turned = turn_about_jaw(moved, expression.jaw_degrees)
    moved += _control_jaw_fraction()[:, None] * (turned - moved)
    return _close_lids(moved, expression, eyes)


def _move_singly(moved: np.ndarray, rest: np.ndarray, expression: Expression) -> None:
    """Add the movements that drawn expressions do not have, to (n, 3) cm, in place."""
    side = np.sign(rest[:, 0])
    folded = np.column_stack([np.abs(rest[:, 0]), rest[:, 1:]])
    for lift, sign in zip(expression.corners, (-1, 1), strict=True):
        if not lift:
            continue
        corner = lift * _near(rest, (sign * 2.7, -5.0, 8), (1.15, 1.0, 2.5))
        moved += corner[:, None] * ((0.50 * sign if lift > 0 else -0.10 * sign), 0.55, -0.20)
    if expression.stretch:
        moved += (expression.stretch * _near(folded, (2.7, -5.1, 8), (1.3, 1.0, 2.5)))[:, None] * np.column_stack(
            [0.55 * side, 0 * side - 0.12, 0 * side - 0.15]
        )
    if expression.cheek_puff:
        blown = expression.cheek_puff * _near(folded, (4.4, -3.9, 7.4), (1.5, 1.7, 2.5))
        moved += blown[:, None] * np.column_stack([0.75 * side, 0 * side, 0 * side + 0.55])
    if expression.nose_wrinkle:
        wings = expression.nose_wrinkle * _near(folded, (1.1, -2.3, 10), (0.9, 0.9, 2.0))
        lip = expression.nose_wrinkle * _near(folded, (1.2, -4.1, 9.3), (1.1, 0.8, 1.5))
        lip[np.unique(template.LOWER_LIP)] = 0
        root = expression.nose_wrinkle * _near(folded, (0.8, 3.2, 9.4), (1.1, 0.8, 2.0))
        moved[:, 1] += 0.22 * wings + 0.26 * lip - 0.22 * root
        moved[:, 0] += 0.10 * wings * side
    if expression.inner_brow:
        inner = expression.inner_brow * _near(folded, (1.5, 3.8, 9.2), (0.9, 0.8, 2.0))
        moved[:, 1] += 0.50 * inner
        moved[:, 0] -= 0.08 * inner * side
    if expression.lip_press:
        lips = expression.lip_press * _near(rest, (0, -5.0, 9.3), (2.4, 0.7, 1.6))
        moved[:, 1] -= 0.55 * lips * (rest[:, 1] + 5.03)
        moved[:, 2] -= 0.12 * lips


def _close_lids(moved: np.ndarray, expression: Expression, eyes: dict[str, np.ndarray]) -> np.ndarray:
    """Slide the lids over the eyeballs and push out whatever would sink into them."""
    fraction, gap = _lid_operator()
    for e, side in enumerate(("right", "left")):
        closure = expression.lids[e]
        moved[:, 1] += closure * (
            fraction[e, 0] * gap[e, 0] + (0.9 if closure > 0 else 0.4) * fraction[e, 1] * gap[e, 1]
        )
        around = np.flatnonzero(fraction[e].max(axis=0) > 0.02)
        offset = moved[around] - eyes[side]
        across = np.hypot(offset[:, 0], offset[:, 1])
        surface = np.sqrt(np.maximum((EYE_RADIUS + 0.10) ** 2 - across**2, 0.0))
        rim = around >= template.FACE_VERTICES
        moved[around, 2] = np.where(
            (across < EYE_RADIUS) & ~rim, np.maximum(moved[around, 2], eyes[side][2] + surface), moved[around, 2]
        )
    return moved


@lru_cache(maxsize=1)
def _around_eyes() -> np.ndarray:
    """Fine vertices of the face patch near an eye, without the inner side of the lids."""
    mesh = head_mesh()
    patch = np.unique(mesh.triangles[mesh.face_patch])
    return patch[(np.abs(mesh.rest[patch, 1] - 2.0) < 2.5) & (np.abs(mesh.rest[patch, 0]) < 5.5)]


def clear_eyes(shaped: np.ndarray, eyes: dict[str, np.ndarray]) -> np.ndarray:
    """Push fine skin vertices (N, 3) off the eyeballs, which no skin may let through."""
    shaped, near = shaped.copy(), _around_eyes()
    for centre in eyes.values():
        offset = shaped[near] - centre
        distance = np.linalg.norm(offset, axis=1)
        sunk = (distance < EYE_RADIUS + 0.07) & (offset[:, 2] > 0)
        shaped[near[sunk]] = centre + offset[sunk] * ((EYE_RADIUS + 0.07) / distance[sunk])[:, None]
    return shaped
