"""PNG folders: ``thermal/``, ``classes/``, ``landmarks_70/``, ``landmarks_478/``, perhaps ``rgb/``, a file an image."""

from pathlib import Path

from tfake.dataset.dataset import FaceDataset
from tfake.exports.samples import has_mesh, iterate_faces, png, rgb_png, thermal_pixels, write_points

FOLDERS = ("thermal", "classes", "landmarks_70", "landmarks_478")


def write_png(folder: Path, dataset: FaceDataset) -> None:
    """Write the images, RGB too where the dataset has that field, and points as lines of numbers.

    Points are measured from the image's corner, as FaceSynthetics does.

    Args:
        folder: an empty folder.
        dataset: usable faces of one variant.
    """
    for name in (*FOLDERS, *(["rgb"] if "rgb" in dataset.fields else [])):
        (folder / name).mkdir()
    for face in iterate_faces(dataset):
        (folder / "thermal" / f"{face.image_id}.png").write_bytes(png(thermal_pixels(face)))
        (folder / "classes" / f"{face.image_id}.png").write_bytes(png(face.segmentation))
        if face.rgb is not None:
            (folder / "rgb" / f"{face.image_id}.png").write_bytes(rgb_png(face.rgb))
        write_points(folder / "landmarks_70" / f"{face.image_id}.txt", face.landmarks_70)
        if has_mesh(face):
            write_points(folder / "landmarks_478" / f"{face.image_id}.txt", face.landmarks_478)
