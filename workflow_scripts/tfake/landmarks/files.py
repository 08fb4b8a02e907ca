"""Many images for the landmarker: single files, folders, and the frames of videos."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tfake.landmarks.reading import read_image

IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".npy")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm")


@dataclass(frozen=True)
class Pictures:
    """What there is to look at.

    Attributes:
        count: how many, as far as it is known beforehand.
        rate: frames a second, None for images.
        items: name and image, one by one.
    """

    count: int | None
    rate: float | None
    items: Iterator[tuple[str, np.ndarray]]


def open_pictures(path: str | Path) -> Pictures:
    """List an image, a folder of images or a video.

    Args:
        path: what to look at.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a folder without images, a file of a kind that is neither, or a video that OpenCV cannot open.
    """
    path = Path(path)
    if path.is_dir():
        files = list_images(path)
        return Pictures(len(files), None, ((file.relative_to(path).as_posix(), read_image(file)) for file in files))
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such image, folder or video")
    if path.suffix.lower() in VIDEOS:
        video = cv2.VideoCapture(str(path))
        if not video.isOpened():
            raise ValueError(f"{path}: OpenCV cannot open this video")
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        return Pictures(count if count > 0 else None, video.get(cv2.CAP_PROP_FPS) or 25.0, _frames(video))
    if path.suffix.lower() in IMAGES:
        return Pictures(1, None, iter([(path.name, read_image(path))]))
    raise ValueError(f"{path}: neither an image ({', '.join(IMAGES)}) nor a video ({', '.join(VIDEOS)})")


def list_images(folder: str | Path) -> list[Path]:
    """A folder's images, those of folders in it included, by name.

    Raises:
        ValueError: there is none.
    """
    files = sorted(file for file in Path(folder).rglob("*") if file.suffix.lower() in IMAGES)
    if not files:
        raise ValueError(f"{folder}: no images ({', '.join(IMAGES)}) in this folder")
    return files


def _frames(video: cv2.VideoCapture) -> Iterator[tuple[str, np.ndarray]]:
    number = 0
    while True:
        there, frame = video.read()
        if not there:
            video.release()
            return
        yield f"{number:06d}", frame
        number += 1
