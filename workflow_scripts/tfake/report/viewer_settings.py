"""What the page tells its viewer once for all faces: variants, palettes, classes."""

from collections.abc import Sequence
from typing import Any

from tfake.classes import CLASS_COLOURS, LABELLED_CLASSES, FaceClass
from tfake.report.palette import TemperatureScale, offered_palettes
from tfake.report.pictures import IGNORE_COLOUR
from tfake.report.variant_images import VariantImages
from tfake.report.words import words_of


def describe_viewer(folder: str, variants: Sequence[VariantImages], scale: TemperatureScale) -> dict[str, Any]:
    """Describe what the faces' data files have in common.

    Args:
        folder: of those files, as seen from the page.
        variants: in the order of the files' numbers.
        scale: of the page's radiometric pictures.

    Returns:
        JSON values for ``reading.js`` and ``viewer.js``.
    """
    colours = {int(c): (words_of(c), CLASS_COLOURS[c].tolist()) for c in LABELLED_CLASSES}
    colours[int(FaceClass.IGNORE)] = (words_of(FaceClass.IGNORE), list(IGNORE_COLOUR))
    return {
        "folder": folder,
        "palettes": offered_palettes(),
        "classes": colours,
        "variants": [
            _describe(variant, scale if variant.radiometric else variant.whole_scale()) for variant in variants
        ],
    }


def _describe(variant: VariantImages, scale: TemperatureScale) -> dict[str, Any]:
    width, height = variant.size
    return {
        "name": variant.name,
        "width": width,
        "height": height,
        "unit": variant.unit,
        "scale": variant.scale,
        "offset": variant.offset,
        "missing": list(variant.missing),
        "low": scale.low,
        "high": scale.high,
    }
