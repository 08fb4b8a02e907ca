"""``rows.parquet``: one line a row of the stores, for who wants to choose faces without opening an array.

Parquet, for a CSV does not say that an id such as 000123 is text, and many readers make a number of it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from tfake.classes import FACE_CLASSES
from tfake.codes import MeshStatus, SampleStatus
from tfake.dataset.dataset import FaceDataset
from tfake.dataset.splits import SHARES, split_parts

_BATCH = 64
#: Column, its schema.org type, and what it says.
COLUMNS = {
    "image_id": ("sc:Text", "id in the source archive"),
    "row": ("sc:Integer", "place along axis 0 of every array"),
    "status": ("sc:Text", "state of the source sample; only ok has an image"),
    "landmarks_478_status": ("sc:Text", "how the dense points came about; ok, retried and fitted have points"),
    "landmarks_478_error": (
        "sc:Float",
        "of the mesh as found against the exact points, a share of the face's size",
    ),
    "yaw": ("sc:Float", "degrees, to the image's right"),
    "pitch": ("sc:Float", "degrees, upwards"),
    "roll": ("sc:Float", "degrees, clockwise in the image"),
    "face_mean": ("sc:Float", "mean over the face's pixels: degrees Celsius, or grey values of an 8-bit camera"),
    "group": ("sc:Text", "first id among the faces near-identical to this one"),
    "split": ("sc:Text", "train, validation or test; near-identical faces are in one part"),
}


def write_row_table(path: str | Path, dataset: FaceDataset) -> pd.DataFrame:
    """Write the table.

    Args:
        path: the Parquet file.
        dataset: every row of the variant, whatever its status, with the fields ``thermal`` and ``segmentation``.

    Returns:
        The table.
    """
    (variant,) = dataset.variants
    columns, rows = dataset.columns, dataset.rows
    firsts = pd.Series(columns.image_id).groupby(columns.groups).transform("min").to_numpy()[rows]
    parts = split_parts(columns.image_id, columns.groups, SHARES, seed=0)[rows]
    table = pd.DataFrame(
        {
            "image_id": columns.image_id[rows],
            "row": rows,
            "status": [SampleStatus(code).name.lower() for code in columns.status[rows]],
            "landmarks_478_status": [MeshStatus(code).name.lower() for code in columns.landmarks_478_status[rows]],
            "landmarks_478_error": columns.landmarks_478_error[rows],
            **dict(zip(("yaw", "pitch", "roll"), columns.head_pose[rows].T, strict=True)),
            "face_mean": _face_means(dataset, variant),
            "group": firsts,
            "split": [list(SHARES)[part] for part in parts],
        }
    )
    table[list(COLUMNS)].to_parquet(path, index=False)
    return table


def _face_means(dataset: FaceDataset, variant: str) -> np.ndarray:
    means = np.full(len(dataset), np.nan)
    for start in range(0, len(dataset), _BATCH):
        places = range(start, min(start + _BATCH, len(dataset)))
        for place, face in zip(places, dataset.batch(places), strict=True):
            pixels = face.thermal[variant][np.isin(face.segmentation, FACE_CLASSES)]
            if face.status == SampleStatus.OK and len(pixels):
                means[place] = pixels.mean(dtype=np.float64)
    return means
