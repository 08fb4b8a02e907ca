"""T-FAKE's published thermal images: ``{id}_thermal.png``, 16 bit (or 8, as in its figures) for 20 to 40 °C."""

from pathlib import PurePosixPath

import cv2
import numpy as np

from tfake.radiometry import ZERO_CELSIUS_KELVIN
from tfake.scales import Scale, check_plausible, spread_evenly
from tfake.sources.file_trees import FileTree

LOWEST_CELSIUS, SPAN_KELVIN = 20.0, 20.0

_SUFFIX = "_thermal.png"


def list_images(tree: FileTree) -> dict[str, str]:
    """Where each image is.

    Args:
        tree: the folder or zip.

    Returns:
        Image id to name in the tree.

    Raises:
        ValueError: two images have the same id, or there is none.
    """
    found: dict[str, str] = {}
    for name in tree.names:
        if name.endswith(_SUFFIX):
            image_id = PurePosixPath(name).name.removesuffix(_SUFFIX)
            if image_id in found:
                both = f"{found[image_id]} and {name}"
                raise ValueError(f"{tree.where}: {both} have the same id; name one variant's folder")
            found[image_id] = name
    if not found:
        raise ValueError(f"{tree.where}: no file is named {{id}}{_SUFFIX}")
    return found


def read_image(tree: FileTree, name: str, pixels: int) -> np.ndarray:
    """Read one image.

    Args:
        tree: the folder or zip.
        name: the image's name in it.
        pixels: height and width that it must have.

    Returns:
        (H, W) float32 °C.

    Raises:
        ValueError: it is no gray image of 8 or 16 bits, or of another size than the source's.
    """
    values = _decode(tree, name)
    if values.shape != (pixels, pixels):
        found = "x".join(map(str, values.shape))
        raise ValueError(f"{tree.where}, {name}: expected {pixels}x{pixels} pixels as the source has, found {found}")
    return _scale(values).convert(values)


def check_images(tree: FileTree, images: dict[str, str]) -> None:
    """Judge some images, spread over all, by the temperatures that T-FAKE's encoding gives them.

    Args:
        tree: the folder or zip.
        images: from ``list_images``.

    Raises:
        ValueError: they show no people so, such as counts of 0.01 K that lie within half a kelvin, or none of them can
            be read; with the first of those that cannot.
    """
    readable, fault = [], None
    for name in spread_evenly(list(images.values())):
        try:
            readable.append((name, _decode(tree, name)))
        except ValueError as error:
            fault = fault or error
    if fault and not readable:
        raise fault
    for kind in (np.uint8, np.uint16):
        ours = [(name, values) for name, values in readable if values.dtype == kind]
        remedy = "T-FAKE's layout holds 8 or 16 bits for 20 to 40 °C; convert from {}"
        check_plausible(ours, _scale(np.zeros(1, kind)), tree.where, remedy=remedy)


def _scale(values: np.ndarray) -> Scale:
    full = np.iinfo(values.dtype).max
    return Scale("counts", full / SPAN_KELVIN, ZERO_CELSIUS_KELVIN + LOWEST_CELSIUS)


def _decode(tree: FileTree, name: str) -> np.ndarray:
    data = np.frombuffer(tree.read(name), dtype=np.uint8)
    values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if values is None or values.ndim != 2 or values.dtype not in (np.uint8, np.uint16):
        found = "no image" if values is None else f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"{tree.where}, {name}: expected a gray image of 8 or 16 bits, found {found}")
    return values
