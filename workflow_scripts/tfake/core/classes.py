"""The FaceSynthetics class ids (Wood et al., ICCV 2021) and how this project groups and colours them.

Planning a run imports this module where numpy is not installed.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class FaceClass(IntEnum):
    """Segmentation ids as written in ``{id}_seg.png``; RIGHT and LEFT are the subject's."""

    BACKGROUND = 0
    SKIN = 1
    NOSE = 2
    RIGHT_EYE = 3
    LEFT_EYE = 4
    RIGHT_BROW = 5
    LEFT_BROW = 6
    RIGHT_EAR = 7
    LEFT_EAR = 8
    MOUTH_INTERIOR = 9
    TOP_LIP = 10
    BOTTOM_LIP = 11
    NECK = 12
    HAIR = 13
    BEARD = 14
    CLOTHING = 15
    GLASSES = 16
    HEADWEAR = 17
    FACEWEAR = 18
    IGNORE = 255


#: The 19 ids a pixel can carry, IGNORE left out, in order: position in this tuple == id.
LABELLED_CLASSES: tuple[FaceClass, ...] = tuple(c for c in FaceClass if c is not FaceClass.IGNORE)

#: Bare facial skin and features: what "face" means in every per-face temperature error of this project.
FACE_CLASSES: tuple[FaceClass, ...] = (
    FaceClass.SKIN,
    FaceClass.NOSE,
    FaceClass.RIGHT_EYE,
    FaceClass.LEFT_EYE,
    FaceClass.RIGHT_BROW,
    FaceClass.LEFT_BROW,
    FaceClass.MOUTH_INTERIOR,
    FaceClass.TOP_LIP,
    FaceClass.BOTTOM_LIP,
)

#: Display colours, (red, green, blue) of each class id. Hues are grouped by anatomy so that neighbours differ.
CLASS_COLOURS: tuple[tuple[int, int, int], ...] = (
    (24, 24, 28),
    (232, 190, 160),
    (214, 138, 102),
    (60, 130, 220),
    (100, 180, 250),
    (96, 64, 40),
    (140, 100, 64),
    (250, 150, 120),
    (250, 190, 150),
    (120, 16, 40),
    (220, 70, 90),
    (240, 120, 130),
    (200, 160, 130),
    (84, 56, 140),
    (130, 90, 170),
    (70, 140, 110),
    (20, 200, 200),
    (220, 180, 40),
    (150, 200, 90),
)


def is_class_id(values: "np.ndarray") -> "np.ndarray":
    """Tell which entries are legal segmentation ids.

    Args:
        values: integer array of any shape.

    Returns:
        bool array of the same shape: true for 0..18 and for 255 (IGNORE).
    """
    return (values < len(LABELLED_CLASSES)) | (values == FaceClass.IGNORE)
