"""T-FAKE's own layout: ``{id}_thermal.png``, 16 bit for 20 to 40 °C, class maps, 70 points, a pickle of the 478.

As T-FAKE's released code reads them: T = 20 + 20 v / 65535 °C; the pickle maps the RGB image's name to points in 0..1
of the image. The RGB images, ``{id}.png``, are the source's; they are written where the dataset has that field.
"""

import logging
import pickle
from pathlib import Path

import numpy as np

from tfake.pages.page_images import encode_png
from tfake.products.exports.image_folders import CORNER, has_mesh, iterate_faces, write_points
from tfake.reader.dataset import FaceDataset
from tfake.reader.face import ThermalFace
from tfake.thermal_io.scales import spread_evenly
from tfake.variants.imported import LOWEST_CELSIUS, SPAN_KELVIN

FULL = 65535
#: What clipping may take from a pixel before it counts: the camera's noise around a room of 20 °C.
TOLERANCE_KELVIN = 0.5
MOST_CLIPPED = 0.05
POINTS = "annotations.pkl"


def write_tfake(folder: Path, dataset: FaceDataset, most_clipped: float = MOST_CLIPPED) -> None:
    """Write the images, clipped to 20 to 40 °C, the class maps and the points.

    Args:
        folder: an empty folder.
        dataset: usable faces of one radiometric variant.
        most_clipped: fraction of the pixels that clipping may change by more than ``TOLERANCE_KELVIN``.

    Raises:
        ValueError: the variant's images are grey values and have no temperature, or clipping changes more of them; some
            images are checked before any is written.
    """
    checked = dataset.batch(spread_evenly(range(len(dataset)), 16)) if len(dataset) else []
    if checked:
        _check_clipped(np.mean([_clipped_fractions(_celsius_of(face)) for face in checked], axis=0)[1], most_clipped)
    points, clipped, faces = {}, np.zeros(2), 0
    for face in iterate_faces(dataset):
        celsius = _celsius_of(face)
        clipped += _clipped_fractions(celsius)
        faces += 1
        values = np.rint(np.clip((celsius - LOWEST_CELSIUS) / SPAN_KELVIN, 0, 1) * FULL).astype(np.uint16)
        (folder / f"{face.image_id}_thermal.png").write_bytes(encode_png(values))
        (folder / f"{face.image_id}_seg.png").write_bytes(encode_png(face.segmentation))
        if face.rgb is not None:
            (folder / f"{face.image_id}.png").write_bytes(encode_png(face.rgb))
        write_points(folder / f"{face.image_id}_ldmks.txt", face.landmarks_70)
        if has_mesh(face):
            height, width = celsius.shape
            points[f"{face.image_id}.png"] = (face.landmarks_478 + CORNER) / np.float32([width, height])
    (folder / POINTS).write_bytes(pickle.dumps(points, protocol=4))
    some, much = clipped / max(faces, 1)
    _check_clipped(much, most_clipped)
    logging.log(
        logging.WARNING if some else logging.INFO,
        "%.1f %% of the pixels lay outside 20 to 40 °C and were clipped, %.1f %% by more than %g K",
        100 * some,
        100 * much,
        TOLERANCE_KELVIN,
    )


def _celsius_of(face: ThermalFace) -> np.ndarray:
    ((variant, celsius),) = face.thermal.items()
    if celsius.dtype == np.uint8:
        raise ValueError(f"T-FAKE's layout holds temperatures; variant {variant!r} has grey values")
    return celsius


def _clipped_fractions(celsius: np.ndarray) -> np.ndarray:
    """Fractions of the pixels that clipping changes, and that it changes by more than ``TOLERANCE_KELVIN``."""
    change = np.abs(celsius - np.clip(celsius, LOWEST_CELSIUS, LOWEST_CELSIUS + SPAN_KELVIN))
    return np.array([np.mean(change > 0), np.mean(change > TOLERANCE_KELVIN)])


def _check_clipped(fraction: float, most: float) -> None:
    if fraction > most:
        raise ValueError(
            f"T-FAKE's layout holds 20 to 40 °C: clipping would change {100 * fraction:.1f} % of the pixels by more "
            f"than {TOLERANCE_KELVIN:g} K, and publication.most_clipped allows {100 * most:g} %. Raise it if that is "
            "meant, or take a format that holds every temperature: coco, png or webdataset"
        )
