"""Boxes of faces, square crops around them for a network, and its predictions back in the image's pixels."""

import cv2
import numpy as np

#: Left, top, right, bottom in pixels.
Box = tuple[float, float, float, float]

#: How much wider than the face's box a crop is: T-FAKE's own inference.
MARGIN = 1.25


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def square_around(box: np.ndarray | Box, margin: float = MARGIN) -> np.ndarray:
    """The network's crop for a box, ``margin`` times as wide as the box's longer side.

    Returns:
        (3,) float64: left and top edge, and edge length; pixel centres are at integers.
    """
    left, top, right, bottom = map(float, box)
    side = max(right - left, bottom - top, 1.0) * margin
    return np.array(((left + right - side) / 2, (top + bottom - side) / 2, side))


def square_around_image(shape: tuple[int, ...]) -> np.ndarray:
    """The smallest square around a whole image of this shape, as ``square_around`` gives it."""
    height, width = shape[:2]
    side = max(height, width)
    return np.array(((width - side) / 2 - 0.5, (height - side) / 2 - 0.5, float(side)))


def crop_squares(image: np.ndarray, squares: np.ndarray, pixels: int) -> np.ndarray:
    """Cut squares out of an image.

    Args:
        image: (H, W, 3) float32.
        squares: (F, 3) left and top edge, edge length, in pixels of the image; they may reach beyond it.
        pixels: edge of the crops.

    Returns:
        (F, 3, pixels, pixels) float32; what is beyond the image is 0.
    """
    crops = np.empty((len(squares), 3, pixels, pixels), dtype=np.float32)
    for index, (left, top, side) in enumerate(squares):
        scale = side / pixels
        source = image
        if scale > 2:
            # Linear interpolation alone would skip pixels.
            source = cv2.blur(image, (int(scale) | 1,) * 2)
        # Pixel i of the crop is centred (i + 1/2) / pixels of the way through the square.
        there = np.array(((scale, 0.0, left + scale / 2), (0.0, scale, top + scale / 2)))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(source, there, (pixels, pixels), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        crops[index] = crop.transpose(2, 0, 1)
    return crops


def to_image_coordinates(found: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions in the image: from (F, L, 3) x, y and standard deviation in crop widths, and the (F, 3) squares.

    Returns:
        (F, L, 2) pixels, pixel centres at integers, and (F, L) standard deviations in pixels.
    """
    side = squares[:, None, 2]
    return found[..., :2] * side[..., None] + squares[:, None, :2], found[..., 2] * side
