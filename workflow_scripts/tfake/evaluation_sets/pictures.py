"""Images of test sets, decoded without a guess at what they mean."""

from collections.abc import Callable
from pathlib import PurePosixPath

import cv2
import numpy as np

from tfake.sources.file_trees import FileTree

SUFFIXES = (".png", ".jpg", ".jpeg", ".tiff", ".tif", ".bmp")


def image_names(tree: FileTree) -> dict[str, list[str]]:
    """The images of a tree, by their stem: several where folders repeat a name."""
    found: dict[str, list[str]] = {}
    for name in tree.names:
        if PurePosixPath(name).suffix.lower() in SUFFIXES:
            found.setdefault(PurePosixPath(name).stem, []).append(name)
    return found


def beside(tree: FileTree, name: str, folders: tuple[str, ...] = ()) -> str | None:
    """The image that belongs to an annotation file: of the same stem, beside it or in a folder beside its own.

    Args:
        tree: the files.
        name: the annotation file.
        folders: names of folders that stand beside the annotation's folder.
    """
    path = PurePosixPath(name)
    places = [path.parent, *(path.parent.parent / folder for folder in folders)]
    for place in places:
        for suffix in SUFFIXES:
            for spelling in (suffix, suffix.upper()):
                candidate = (place / f"{path.stem}{spelling}").as_posix()
                if candidate in tree:
                    return candidate
    return None


def reader(tree: FileTree) -> Callable[[str], np.ndarray]:
    """A function that reads an image of a tree: (H, W) uint8 or uint16, or (H, W, 3) uint8 RGB.

    It raises a ValueError, naming the image, where OpenCV cannot read it.
    """

    def read(name: str) -> np.ndarray:
        image = cv2.imdecode(np.frombuffer(tree.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError(f"{tree.where}: {name} is no image that OpenCV can read")
        if image.ndim == 3:
            return cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2RGB)
        return image

    return read
