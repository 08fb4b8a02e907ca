"""PNG folders: ``thermal/``, ``classes/``, ``landmarks_70/``, ``landmarks_478/``, one file an image in each."""

from pathlib import Path

from tfake.dataset.dataset import FaceDataset
from tfake.exports.samples import has_mesh, iterate_faces, png, thermal_pixels, write_points

FOLDERS = ("thermal", "classes", "landmarks_70", "landmarks_478")


def write_png(folder: Path, dataset: FaceDataset) -> None:
    """Write the images, and points as lines of numbers, measured from the image's corner as FaceSynthetics does.

    Args:
        folder: an empty folder.
        dataset: usable faces of one variant.
    """
    for name in FOLDERS:
        (folder / name).mkdir()
    for face in iterate_faces(dataset):
        (folder / "thermal" / f"{face.image_id}.png").write_bytes(png(thermal_pixels(face)))
        (folder / "classes" / f"{face.image_id}.png").write_bytes(png(face.segmentation))
        write_points(folder / "landmarks_70" / f"{face.image_id}.txt", face.landmarks_70)
        if has_mesh(face):
            write_points(folder / "landmarks_478" / f"{face.image_id}.txt", face.landmarks_478)
