"""What a page's ``loading.js`` does with packed images, in Python."""

import base64
import zlib

import numpy as np


def unpack(text, shape, dtype):
    """The image (H, W) that :func:`tfake.pages.page_images.pack` packed."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, *shape)
    steps = sum(plane.astype(np.uint64) << (8 * number) for number, plane in enumerate(planes))
    return np.cumsum(steps, axis=1).astype(dtype)
