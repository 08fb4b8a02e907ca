"""Motion curves of the procedural heads, told on the mean head's mesh: what a still does that is driven by no film."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from heads.expression import Expression, express, movements
from heads.expression_classes import express_class
from heads.features import EYE_CENTRE
from heads.performance import Performance, draw_performance, draw_rest
from heads.viewpoint import rotation
from tfake.core.codes import ExpressionClass
from tfake.mesh.head import head_mesh
from tfake.retargeting.cage import MESH
from tfake.retargeting.mesh_motion import MeshMotion

#: The most of an eye's gap that a blink closes: lids touch, and nothing passes through them.
_MOST_CLOSED = 0.94
#: How far eyes that open wide open more, in gaps.
_MOST_OPENED = 0.3


def draw_motion(
    stream: Callable[[str], np.random.Generator],
    kind: ExpressionClass,
    seconds: np.ndarray,
    strength: float,
    most_degrees: float,
) -> list[MeshMotion]:
    """Draw what a still does.

    Args:
        stream: gives a generator for a named purpose, of this sequence alone.
        kind: the expression that comes and goes.
        seconds: (T,) times of the frames, rising from 0.
        strength: factor on the expression's movements; blinks and the head keep theirs.
        most_degrees: the head turns by no more than this about each axis.

    Returns:
        A motion a frame, relative to how the still holds face and head.
    """
    rest = draw_rest(stream("rest"))
    performance = draw_performance(stream, rest, kind, seconds, "lab")
    return [
        _frame_motion(performance, number, rest, strength, most_degrees) for number in range(len(performance.states))
    ]


def _frame_motion(
    performance: Performance, number: int, rest: Expression, strength: float, most_degrees: float
) -> MeshMotion:
    shown, framing = performance.states[number].expression, performance.states[number].framing
    closing = [(lid - held) / (1.0 - held) for lid, held in zip(shown.lids, rest.lids, strict=True)]
    lids = tuple(float(np.clip(part, -_MOST_OPENED, _MOST_CLOSED)) for part in closing)
    angles = np.array(framing.head) - np.array(framing.aim)
    return MeshMotion(
        displacement=strength * (_shape(replace(shown, lids=rest.lids)) - _shape(rest)),
        lids=lids,
        lid_fields=lid_fields(),
        turn=rotation(*np.clip(angles, -most_degrees, most_degrees)),
        scale=float(framing.focused_cm / framing.distance_cm),
        parameters=_change(shown, rest, strength, lids),
        intensity=float(np.clip(strength * performance.intensity[number], 0.0, 1.0)),
    )


def _change(shown: Expression, rest: Expression, strength: float, lids: tuple[float, ...]) -> np.ndarray:
    """Change of each movement; the lids' is the fraction of the still's gap that closes."""
    return strength * (movements(replace(shown, lids=(0.0, 0.0))) - movements(replace(rest, lids=(0.0, 0.0)))) + (
        movements(replace(_nothing(), lids=lids))
    )


def _nothing() -> Expression:
    return Expression(0.0, 0.0, 0.0, 0.0, (0.0, 0.0), 0.0, (0.0, 0.0), (0.0, 0.0))


def _shape(expression: Expression) -> np.ndarray:
    """The mean head's face in an expression, (468, 3) cm."""
    return express(head_mesh().control, expression, EYE_CENTRE)[MESH]


@cache
def lid_fields() -> np.ndarray:
    """What closing each eye of the mean head, open before, moves: (2, 468, 3) cm, the right eye first."""
    still = _nothing()
    closed = ((1.0, 0.0), (0.0, 1.0))
    return np.stack([_shape(replace(still, lids=lids)) - _shape(still) for lids in closed])


@cache
def largest_movement() -> np.ndarray:
    """The farthest that any expression at full strength takes each point of the mean head's mesh, (468,) cm."""
    still = _nothing()
    shapes = [_shape(express_class(kind, 1.0, still)) for kind in ExpressionClass]
    return np.linalg.norm(np.stack(shapes) - _shape(still), axis=2).max(axis=0)
