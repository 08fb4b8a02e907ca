"""The declared scale of a test set's thermal images: judged before anything is scored, and turned into °C."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tfake.evaluation_sets.faces import EvaluationSet
from tfake.scales import Scale, check_plausible, parse_scale, spread_evenly

_GREY_LEVELS = 255


def declare_scale(test_set: EvaluationSet, values: str | Mapping, where: str) -> EvaluationSet:
    """Judge some images by their values, and read all of them as declared.

    Args:
        test_set: the set. Its images of 8 bits and of three channels are pictures and stay as they are.
        values: what the others hold, as :func:`tfake.scales.parse_scale` reads it.
        where: the set, for messages.

    Returns:
        The set with images in °C; of ``relative`` ones, the full range of their type in 8 bits.

    Raises:
        ValueError: images that show no people under this scale, or another number type than it has. Images that cannot
            be read are left to whoever reads them.
    """
    scale = parse_scale(values)
    found = []
    for name in spread_evenly(list(dict.fromkeys(face.image for face in test_set.faces)), 16):
        try:
            image = test_set.read_image(name)
        except ValueError:
            continue
        if _is_thermal(image):
            found.append((name, image))
    check_plausible(found, scale, where)

    def read(name: str) -> np.ndarray:
        image = test_set.read_image(name)
        return _convert(image, scale) if _is_thermal(image) else image

    return replace(test_set, read_image=read)


def _is_thermal(image: np.ndarray) -> bool:
    return image.ndim == 2 and image.dtype != np.uint8


def _convert(image: np.ndarray, scale: Scale) -> np.ndarray:
    if scale.meaning == "celsius":
        return scale.convert(image)
    full = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1.0
    return np.rint(np.clip(image / full, 0, 1) * _GREY_LEVELS).astype(np.uint8)
