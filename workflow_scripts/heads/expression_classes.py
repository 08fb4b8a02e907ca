"""Expression classes: what each does to the face at full strength, and every strength between rest and that.

Movements follow the action units of the prototypes (Ekman and Friesen 1978; Du, Tao and Martinez 2014), as far as the
face has them: a smile is AU 12, 6 and 25; surprise 1, 2, 5, 26; anger 4, 7, 24; disgust 9, 10, 4; fear 1, 2, 4, 5, 20
and 25; sadness 1, 4, 15.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from heads.expression import Expression
from tfake.core.codes import ExpressionClass

#: Class to the movements that it is made of, at intensity 1; all others stay as the person holds them at rest.
TARGETS: Mapping[ExpressionClass, Mapping[str, Any]] = MappingProxyType(
    {
        ExpressionClass.NEUTRAL: {},
        ExpressionClass.SMILE: {"smile": 0.95, "show_teeth": 0.45, "jaw_degrees": 3.0, "lids": (0.32, 0.32)},
        ExpressionClass.FROWN: {"frown": 1.2, "smile": -0.55, "lids": (0.25, 0.25)},
        ExpressionClass.SURPRISE: {"brow_raise": (1.25, 1.25), "lids": (-0.25, -0.25), "jaw_degrees": 14.0},
        ExpressionClass.TALK: {"jaw_degrees": 9.0, "pucker": 0.6, "show_teeth": 0.5},
        ExpressionClass.WINK: {"lids": (1.0, 0.12), "corners": (0.55, 0.05), "brow_raise": (-0.25, 0.15)},
        ExpressionClass.ANGER: {"frown": 1.5, "lids": (0.12, 0.12), "lip_press": 0.9, "nose_wrinkle": 0.25},
        ExpressionClass.DISGUST: {
            "nose_wrinkle": 1.1,
            "frown": 0.6,
            "smile": -0.25,
            "show_teeth": 0.3,
            "lids": (0.38, 0.38),
        },
        ExpressionClass.FEAR: {
            "brow_raise": (0.6, 0.6),
            "inner_brow": 0.7,
            "frown": 0.35,
            "stretch": 0.9,
            "show_teeth": 0.35,
            "lids": (-0.25, -0.25),
            "jaw_degrees": 5.0,
        },
        ExpressionClass.SADNESS: {"inner_brow": 1.1, "frown": 0.35, "smile": -0.8, "lids": (0.3, 0.3)},
        ExpressionClass.PUFF: {"cheek_puff": 1.0, "pucker": 0.35, "lip_press": 0.3},
    }
)


def express_class(kind: ExpressionClass, intensity: float, rest: Expression) -> Expression:
    """Go from rest to a class by a fraction of the way.

    Args:
        kind: the class.
        intensity: 0 leaves the face at rest, 1 is the class's full strength; more overdoes it.
        rest: how the person holds the face.

    Raises:
        ValueError: intensity is negative.
    """
    if intensity < 0.0:
        raise ValueError(f"the intensity of an expression is 0 or more; found {intensity}")
    moved = {}
    for name, target in TARGETS[kind].items():
        held = np.asarray(getattr(rest, name), float)
        reached = held + intensity * (np.asarray(target, float) - held)
        moved[name] = tuple(reached.tolist()) if reached.ndim else float(reached)
    return replace(rest, **moved)
