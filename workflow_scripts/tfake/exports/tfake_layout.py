"""T-FAKE's own layout: ``{id}_thermal.png``, 16 bit for 20 to 40 °C, class maps, 70 points, a pickle of the 478.

As T-FAKE's released code reads them: T = 20 + 20 v / 65535 °C; the pickle maps the RGB image's name to points in 0..1
of the image. The RGB images, ``{id}.png``, are the source's; they are written where the dataset has that field.
"""

import logging
import pickle
from pathlib import Path

import numpy as np

from tfake.dataset.dataset import FaceDataset
from tfake.exports.samples import CORNER, has_mesh, iterate_faces, png, rgb_png, write_points

LOWEST_CELSIUS, SPAN_KELVIN = 20.0, 20.0
FULL = 65535
POINTS = "annotations.pkl"


def write_tfake(folder: Path, dataset: FaceDataset) -> None:
    """Write the images, clipped to 20 to 40 °C, the class maps and the points.

    Args:
        folder: an empty folder.
        dataset: usable faces of one radiometric variant.

    Raises:
        ValueError: the variant's images are grey values and have no temperature.
    """
    points, clipped, pixels = {}, 0, 0
    for face in iterate_faces(dataset):
        ((variant, celsius),) = face.thermal.items()
        if celsius.dtype == np.uint8:
            raise ValueError(f"T-FAKE's layout holds temperatures; variant {variant!r} has grey values")
        share = (celsius - LOWEST_CELSIUS) / SPAN_KELVIN
        clipped += np.count_nonzero((share < 0) | (share > 1))
        pixels += share.size
        values = np.rint(np.clip(share, 0, 1) * FULL).astype(np.uint16)
        (folder / f"{face.image_id}_thermal.png").write_bytes(png(values))
        (folder / f"{face.image_id}_seg.png").write_bytes(png(face.segmentation))
        if face.rgb is not None:
            (folder / f"{face.image_id}.png").write_bytes(rgb_png(face.rgb))
        write_points(folder / f"{face.image_id}_ldmks.txt", face.landmarks_70)
        if has_mesh(face):
            height, width = celsius.shape
            points[f"{face.image_id}.png"] = (face.landmarks_478 + CORNER) / np.float32([width, height])
    (folder / POINTS).write_bytes(pickle.dumps(points, protocol=4))
    logging.info("%.4f %% of the pixels lay outside 20 to 40 °C and were clipped", 100 * clipped / max(pixels, 1))
