"""How far eyes and mouth are open, from the 478 points."""

import numpy as np

#: Upper and lower lid, twice, and the corners; the subject's right eye, then the left (Soukupova, Cech 2016, eq. 1).
_EYES = (((160, 144), (158, 153), (33, 133)), ((385, 380), (387, 373), (362, 263)))
#: Inner lips, twice beside the middle and in it, and the inner corners.
_LIPS, _LIP_CORNERS = ((81, 178), (13, 14), (311, 402)), (78, 308)


def openings(mesh: np.ndarray) -> np.ndarray:
    """Eye aspects and mouth opening; measured in 3D, so that a turned head does not narrow them.

    Args:
        mesh: (478, 3) pixels, z on the scale of x.

    Returns:
        (3,) float32: height over width of the right eye, of the left eye (0.3 open, below 0.15 closed), and of the gap
        between the lips (0 closed).
    """
    points = mesh.astype(np.float64)

    def gap(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))

    eyes = [(gap(outer) + gap(inner)) / (2 * gap(corners)) for outer, inner, corners in _EYES]
    mouth = np.mean([gap(pair) for pair in _LIPS]) / gap(_LIP_CORNERS)
    return np.array([*eyes, mouth], dtype=np.float32)
