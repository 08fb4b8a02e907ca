"""A rendered face small enough for tests: image, class map, and its exact mesh."""

from functools import cache

import numpy as np

from heads.scene import Rendering, render_face

PIXELS = 128


@cache
def face(number: int = 0) -> Rendering:
    """One of a few lab faces."""
    return render_face(3, number, PIXELS, setting="lab")


def faces(count: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[np.ndarray]]:
    """(RGB, class map) of each, and its mesh."""
    rendered = [face(number) for number in range(count)]
    return [(each.rgb, each.surface.classes) for each in rendered], [each.mesh for each in rendered]
