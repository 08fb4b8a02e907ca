"""Exports as plain images and points, in folders or in WebDataset's tar files, and what every export is made of."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tfake.core.radiometry import encode_celsius
from tfake.pages.page_images import encode_png
from tfake.reader.dataset import FaceDataset
from tfake.reader.face import ThermalFace

#: Faces in memory at once.
_BATCH = 64
#: From the stores' points, whose pixel centres are at integers, to formats that measure from the image's corner.
CORNER = 0.5


def iterate_faces(dataset: FaceDataset) -> Iterator[ThermalFace]:
    """The faces of a dataset in order, of which few are in memory at once."""
    for start in range(0, len(dataset), _BATCH):
        yield from dataset.batch(range(start, min(start + _BATCH, len(dataset))))


def thermal_pixels(face: ThermalFace) -> np.ndarray:
    """The one thermal image of a face as it is stored: (H, W) uint16 counts of 0.01 K, or uint8 grey values."""
    (pixels,) = face.thermal.values()
    return pixels if pixels.dtype == np.uint8 else encode_celsius(pixels)


def has_mesh(face: ThermalFace) -> bool:
    """Whether the 478 points are there."""
    return bool(np.isfinite(face.landmarks_478).all())


def write_points(path: Path, points: np.ndarray) -> None:
    """Write (n, 2) points as FaceSynthetics does: a line each, pixels from the image's corner."""
    path.write_text("".join(f"{x:.3f} {y:.3f}\n" for x, y in points.astype(np.float64) + CORNER))


FOLDERS = ("thermal", "classes", "landmarks_70", "landmarks_478")


def write_png(folder: Path, dataset: FaceDataset) -> None:
    """Write ``FOLDERS``, and ``rgb`` where the dataset has that field, with one file per face.

    Points are lines of numbers, measured from the image's corner, as FaceSynthetics does.

    Args:
        folder: an empty folder.
        dataset: usable faces of one variant.
    """
    for name in (*FOLDERS, *(["rgb"] if "rgb" in dataset.fields else [])):
        (folder / name).mkdir()
    for face in iterate_faces(dataset):
        (folder / "thermal" / f"{face.image_id}.png").write_bytes(encode_png(thermal_pixels(face)))
        (folder / "classes" / f"{face.image_id}.png").write_bytes(encode_png(face.segmentation))
        if face.rgb is not None:
            (folder / "rgb" / f"{face.image_id}.png").write_bytes(encode_png(face.rgb))
        write_points(folder / "landmarks_70" / f"{face.image_id}.txt", face.landmarks_70)
        if has_mesh(face):
            write_points(folder / "landmarks_478" / f"{face.image_id}.txt", face.landmarks_478)


#: Samples per tar file.
SAMPLES = 1000


def write_webdataset(folder: Path, dataset: FaceDataset) -> None:
    """Write ``000000.tar`` and so on, WebDataset's samples; equal data gives equal bytes.

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
                _add(tar, f"{name}.thermal.png", encode_png(thermal_pixels(face)))
                _add(tar, f"{name}.classes.png", encode_png(face.segmentation))
                if face.rgb is not None:
                    _add(tar, f"{name}.rgb.png", encode_png(face.rgb))
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
