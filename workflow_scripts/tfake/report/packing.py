"""Images as text that a page unpacks to the very same numbers, whatever the browser does with colours.

A browser may change the pixels of a picture on their way to a script (colour management, protection against
fingerprinting), so numbers travel as numbers: differences to the left neighbour, the low bytes and then the high ones,
deflated (zlib, RFC 1950), base64. The page's ``reading.js`` undoes it.
"""

import base64
import zlib

import numpy as np

_LEVEL = 6


def pack(image: np.ndarray) -> str:
    """Pack an image without loss.

    Args:
        image: (H, W) uint8 or uint16.

    Returns:
        ASCII text.

    Raises:
        ValueError: another type or number of dimensions.
    """
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image to pack is (H, W) uint8 or uint16; found {image.dtype} of {image.shape}")
    # Unsigned differences wrap around, here and in the page alike.
    steps = np.diff(image, axis=1, prepend=image.dtype.type(0))
    planes = [(steps >> shift).astype(np.uint8) for shift in range(0, 8 * image.dtype.itemsize, 8)]
    return base64.b64encode(zlib.compress(b"".join(plane.tobytes() for plane in planes), _LEVEL)).decode("ascii")
