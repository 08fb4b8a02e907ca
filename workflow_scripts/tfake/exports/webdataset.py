"""WebDataset: tar files of samples, each sample the members of one basename, equal bytes for equal data."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np

from tfake.dataset.dataset import FaceDataset
from tfake.dataset.face import ThermalFace
from tfake.exports.samples import iterate_faces, png, rgb_png, thermal_pixels

#: Samples a tar file.
SAMPLES = 1000


def write_webdataset(folder: Path, dataset: FaceDataset) -> None:
    """Write ``000000.tar`` and so on.

    Members of a sample: ``thermal.png`` (counts of 0.01 K, or 8-bit grey values), ``classes.png``,
    ``rgb.png`` where the dataset has that field, and ``json`` with id, row, points (x, y in pixels, centres at
    integers), statuses, error, visibility, pose; null where there is none.

    Args:
        folder: an empty folder.
        dataset: usable faces of one variant.
    """
    for number, start in enumerate(range(0, len(dataset), SAMPLES)):
        with tarfile.open(folder / f"{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for face in iterate_faces(dataset[start : start + SAMPLES]):
                # WebDataset takes a name up to its first dot for the sample's.
                name = face.image_id.replace(".", "_")
                _add(tar, f"{name}.thermal.png", png(thermal_pixels(face)))
                _add(tar, f"{name}.classes.png", png(face.segmentation))
                if face.rgb is not None:
                    _add(tar, f"{name}.rgb.png", rgb_png(face.rgb))
                _add(tar, f"{name}.json", json.dumps(describe(face)).encode())


def describe(face: ThermalFace) -> dict:
    """What is known of a face besides its images, as JSON values."""
    return {
        "image_id": face.image_id,
        "row": face.row,
        "landmarks_70": _values(face.landmarks_70),
        "landmarks_478": _values(face.landmarks_478),
        "landmarks_478_status": face.landmarks_478_status.name.lower(),
        "landmarks_478_error": _values(np.float32(face.landmarks_478_error)),
        "landmarks_478_visibility": _values(face.landmarks_478_visibility),
        "head_pose": _values(face.head_pose),
    }


def _values(array: np.ndarray):
    """Lists of numbers, or None for what is missing: JSON knows no NaN."""
    return array.tolist() if np.isfinite(array).all() else None


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    tar.addfile(member, io.BytesIO(data))
