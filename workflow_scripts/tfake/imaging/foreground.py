"""Foreground and background of an image: from its class map, or estimated where there is none.

The network never sees the source's background: ``mask_background`` blacks it out before the network, in training and in
inference alike, and ``set_background`` writes the ambient temperature there afterwards. ``fill_glasses`` closes the
lenses that the frames of glasses enclose.
"""

import cv2
import numpy as np
from scipy import ndimage

from tfake.core.classes import FACE_CLASSES, FaceClass

#: A hole in a frame larger than this fraction of the face is no lens (a lens measures 5 to 12 % of it).
LARGEST_LENS_OF_FACE = 0.2

# What covers the face counts, or the lenses above a mask would look too large for it.
_FACE = (*FACE_CLASSES, FaceClass.GLASSES, FaceClass.BEARD, FaceClass.FACEWEAR)

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))

# A hole that shows one of these is not a lens: the contour runs around the lower face.
_NEVER_BEHIND_A_LENS = (FaceClass.MOUTH_INTERIOR, FaceClass.TOP_LIP, FaceClass.BOTTOM_LIP)


def mask_background(rgb: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Black out every background pixel of an image.

    Args:
        rgb: (..., H, W, 3) uint8.
        classes: (..., H, W) uint8 class ids.

    Returns:
        (..., H, W, 3) uint8, a copy: 0 where the class is BACKGROUND, ``rgb`` elsewhere (IGNORE included).

    Raises:
        ValueError: the two do not have the same height and width.
    """
    if rgb.shape[:-1] != classes.shape:
        raise ValueError(f"an image of shape {rgb.shape} needs a class map of {rgb.shape[:-1]}; found {classes.shape}")
    if not rgb.size:
        return rgb.copy()
    width = classes.shape[-1]
    foreground = (classes != FaceClass.BACKGROUND).view(np.uint8).reshape(-1, width)
    # OpenCV's masked copy is several times faster than numpy's choice a pixel.
    return cv2.copyTo(np.ascontiguousarray(rgb).reshape(-1, width, 3), foreground).reshape(rgb.shape)


def set_background(celsius: np.ndarray, classes: np.ndarray, ambient_celsius: float) -> np.ndarray:
    """A copy of (..., H, W) float32 degrees Celsius with exactly the ambient where the class is BACKGROUND."""
    return np.where(classes == FaceClass.BACKGROUND, np.float32(ambient_celsius), celsius)


def fill_glasses(classes: np.ndarray) -> np.ndarray:
    """Turn the lenses inside the frames of glasses into GLASSES, as long-wave infrared sees them.

    FaceSynthetics labels what is behind a transparent lens; glass is opaque at 8-14 um. Each connected frame is filled
    on its own. A hole is left as it is when it is larger than ``LARGEST_LENS_OF_FACE`` of the face or shows the mouth,
    so that an odd contour never swallows the face. Background seen through a frame stays background.

    Args:
        classes: (H, W) uint8 class ids.

    Returns:
        (H, W) uint8 class ids; the very same array when the image holds no glasses.
    """
    is_frame = classes == FaceClass.GLASSES
    if not is_frame.any():
        return classes
    largest_lens = LARGEST_LENS_OF_FACE * np.count_nonzero(_is_one_of(_FACE, classes))
    # Nothing changes outside the frames' box and the pixel around it that the dilation reaches.
    rows, columns = np.flatnonzero(is_frame.any(1)), np.flatnonzero(is_frame.any(0))
    box = tuple(slice(max(0, line[0] - 1), line[-1] + 2) for line in (rows, columns))
    filled = classes.copy()
    filled[box] = _fill_box(classes[box], is_frame[box], largest_lens)
    return filled


def _is_one_of(wanted: tuple[FaceClass, ...], classes: np.ndarray) -> np.ndarray:
    """(H, W) bool. OpenCV looks ids up several times faster than numpy does."""
    return cv2.LUT(classes, np.isin(np.arange(256), wanted).view(np.uint8)).view(bool)


def _fill_box(classes: np.ndarray, is_frame: np.ndarray, largest_lens: float) -> np.ndarray:
    never_lens = _is_one_of(_NEVER_BEHIND_A_LENS, classes)
    # A frame one pixel wide is broken here and there by the labels' sampling; one dilation closes it.
    _, frames, boxes, _ = cv2.connectedComponentsWithStats(_dilate(is_frame), connectivity=8)
    lenses = np.zeros_like(is_frame)
    for frame, box in enumerate(boxes[1:], start=1):
        window = _window(box)
        _, areas, holes, _ = cv2.connectedComponentsWithStats((frames[window] != frame).view(np.uint8), connectivity=4)
        height, width = areas.shape
        for hole, (left, top, across, down, pixels) in enumerate(holes[1:], start=1):
            is_enclosed = left > 0 and top > 0 and left + across < width and top + down < height
            if is_enclosed and pixels <= largest_lens:
                inside = areas == hole
                if not never_lens[window][inside].any():
                    # Undo the dilation: the rim that it took from the hole belongs to the lens.
                    lenses[window] |= _dilate(inside).view(bool)
    filled = classes.copy()
    filled[lenses & (classes != FaceClass.BACKGROUND)] = FaceClass.GLASSES
    return filled


def _dilate(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool to uint8: the pixels of a mask and their four neighbours."""
    return cv2.dilate(mask.view(np.uint8), _CROSS)


def _window(box: np.ndarray) -> tuple[slice, slice]:
    left, top, across, down, _ = box
    return slice(top, top + down), slice(left, left + across)


# Of the outermost pixels: an image whose background was blanked has zeros all around but where the neck leaves it.
_BLANK_BORDER = 0.5


def estimate_foreground(thermal: np.ndarray) -> np.ndarray:
    """(H, W) bool, the person in a (H, W) float32 thermal image: what is above Otsu's threshold, holes filled."""
    scaled = cv2.normalize(thermal, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    _, warm = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return ndimage.binary_fill_holes(warm)


def nonzero_foreground(raw: np.ndarray) -> np.ndarray | None:
    """The pixels above 0 of a (H, W) image whose background somebody has set to 0, as bool.

    None when the image is not of that kind: not 8 bits, or fewer than half of its outermost pixels are 0.
    """
    if raw.dtype != np.uint8:
        return None
    border = np.concatenate((raw[0], raw[-1], raw[1:-1, 0], raw[1:-1, -1]))
    return raw > 0 if np.mean(border == 0) >= _BLANK_BORDER else None
