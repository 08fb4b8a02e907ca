"""The orientation tag of a picture: told, never followed.

One rule for every reader here: pixels come in the rows and columns in which the file stores them. Registered partners,
class maps and annotations are made for those, and a tag that a program copied along, or that one library follows and
another does not, turns nothing. Who wants to see an image upright turns it, and turns what was found back.
"""

import io

import numpy as np
from PIL import Image

ORIENTATION_TAG = 274
# Whether rows and columns change places, and which of both then run backwards, by tag.
_TURNS = {
    1: (False, 1, 1),
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}


def orientation_of(data: bytes) -> int:
    """Read the orientation tag of a PNG, JPEG or WebP.

    Args:
        data: the file.

    Returns:
        1 to 8; 1 where there is none, or none that can be read.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            tag = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a remark is not worth refusing pixels that could be read
        return 1
    return tag if tag in range(1, 9) else 1


def turn_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image as its orientation tag says.

    Args:
        image: (H, W, ...), as stored.
        orientation: 1 to 8.

    Returns:
        (H, W, ...) or, for 5 to 8, (W, H, ...).
    """
    swapped, rows, columns = _TURNS[orientation]
    return (np.swapaxes(image, 0, 1) if swapped else image)[::rows, ::columns]


def points_as_stored(points: np.ndarray, orientation: int, shape: tuple[int, int]) -> np.ndarray:
    """Bring points of an upright image to the image as it is stored.

    Args:
        points: (..., 2) x, y in the upright image, pixel centres at integers.
        orientation: 1 to 8.
        shape: height and width of the upright image.

    Returns:
        (..., 2), the same type.
    """
    swapped, rows, columns = _TURNS[orientation]
    x, y = points[..., 0], points[..., 1]
    x = x if columns > 0 else shape[1] - 1 - x
    y = y if rows > 0 else shape[0] - 1 - y
    return np.stack((y, x) if swapped else (x, y), axis=-1)
