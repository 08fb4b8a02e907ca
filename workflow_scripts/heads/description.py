"""What procedural people are, in words: exact, for it is drawn and not looked for."""

from collections.abc import Iterator

import numpy as np

from heads.expression import Expression, draw_expression
from heads.identity import draw_traits

#: Strength of a movement from which it is named, the first that fits.
_NAMED = (
    ("smiling", lambda face: face.smile > 0.3),
    ("with the corners of the mouth down", lambda face: face.smile < -0.3),
    ("with pursed lips", lambda face: face.pucker > 0.3),
    ("with an open mouth", lambda face: face.jaw_degrees > 5),
    ("showing teeth", lambda face: face.show_teeth > 0.5),
    ("frowning", lambda face: face.frown > 0.5),
)


def describe_people(seed: int, images: int) -> Iterator[dict[str, str]]:
    """The faces of a source.

    Args:
        seed: the source's.
        images: how many.

    Yields:
        ``image_id``, ``person`` (which shape was drawn) and ``expression`` of each.
    """
    for face in range(images):
        # The streams of heads.scene.render_face.
        identity, expression = (
            np.random.default_rng([seed, face, *name.encode()]) for name in ("identity", "expression")
        )
        is_female = draw_traits(identity).femininity > 0.5
        yield {
            "image_id": f"{face:06d}",
            "person": "a woman" if is_female else "a man",
            "expression": _name_expression(draw_expression(expression, neutral=False)),
        }


def _name_expression(expression: Expression) -> str:
    return next((words for words, fits in _NAMED if fits(expression)), "with a neutral expression")
