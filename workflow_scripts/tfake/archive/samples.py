"""One source sample: the RGB image, its class map and its 70 landmarks, decoded and checked."""

from dataclasses import dataclass

import cv2
import numpy as np

from tfake.archive.zip_archive import Archive, Member, MemberError
from tfake.core.classes import LABELLED_CLASSES, is_class_id
from tfake.core.codes import LANDMARKS, MEMBER_SUFFIXES, PIXEL_CENTRE, SampleStatus
from tfake.core.text_tables import decode_text


class SampleError(ValueError):
    """A sample that cannot be used; ``status`` says why in a word, the message in a sentence."""

    def __init__(self, status: SampleStatus, message: str):
        """Keep the status beside the message."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Sample:
    """A decoded sample. Landmarks are (x, y) pixels with pixel centres at integers: iBUG-68 order, then the pupils."""

    rgb: np.ndarray  # (H, W, 3) uint8
    classes: np.ndarray  # (H, W) uint8
    landmarks_70: np.ndarray  # (70, 2) float32


def read_sample(archive: Archive, record, pixels: int) -> Sample:
    """Read one indexed sample.

    Args:
        archive: the open archive.
        record: a row of the index (:func:`tfake.archive.index.read_index`), as ``itertuples`` yields it.
        pixels: the height and width every image must have.

    Returns:
        The sample.

    Raises:
        SampleError: a member is missing, unreadable, undecodable, of another size, or its labels are wrong.
    """
    return Sample(
        rgb=read_rgb(archive, record, pixels),
        classes=read_classes(archive, record, pixels),
        landmarks_70=read_landmarks(archive, record),
    )


def read_rgb(archive: Archive, record, pixels: int) -> np.ndarray:
    """Read a sample's image: (H, W, 3) uint8 RGB. Raises as :func:`read_sample`."""
    return _decode(archive, record, "rgb", cv2.IMREAD_COLOR_RGB, pixels)


def read_classes(archive: Archive, record, pixels: int) -> np.ndarray:
    """Read a sample's class map: (H, W) uint8 ids. Raises as :func:`read_sample`."""
    classes = _decode(archive, record, "classes", cv2.IMREAD_UNCHANGED, pixels)
    if classes.ndim != 2 or classes.dtype != np.uint8:
        found = f"{classes.dtype} with shape {classes.shape}"
        raise SampleError(SampleStatus.UNKNOWN_CLASS, f"{record.image_id}_seg.png: expected 8-bit gray, found {found}")
    # The largest id tells of nearly every map that it is right, in a thirtieth of the time.
    if classes.max() >= len(LABELLED_CLASSES) and not is_class_id(classes).all():
        unknown = np.unique(classes[~is_class_id(classes)]).tolist()
        message = f"{record.image_id}_seg.png: class ids are 0..18 and 255, found also {unknown}"
        raise SampleError(SampleStatus.UNKNOWN_CLASS, message)
    return classes


def read_landmarks(archive: Archive, record) -> np.ndarray:
    """Read a sample's 70 points: (70, 2) float32 pixels, pixel centres at integers. Raises as :func:`read_sample`."""
    text = decode_text(_read(archive, record, "landmarks"))
    rows = [line.split() for line in text.split("\n") if line.strip()]
    where = f"{record.image_id}_ldmks.txt"
    if len(rows) != LANDMARKS or any(len(row) != 2 for row in rows):
        odd = next((f" with {len(row)} in {' '.join(row)[:40]!r}" for row in rows if len(row) != 2), "")
        message = f"{where}: expected {LANDMARKS} lines of two numbers, found {len(rows)} lines{odd}"
        raise SampleError(SampleStatus.WRONG_LANDMARKS, message)
    try:
        points = (np.array(rows, dtype=np.float64) - PIXEL_CENTRE).astype(np.float32)
    except ValueError as error:
        raise SampleError(SampleStatus.WRONG_LANDMARKS, f"{where}: {error}") from error
    if not np.isfinite(points).all():
        raise SampleError(SampleStatus.WRONG_LANDMARKS, f"{where}: a coordinate is not finite")
    if np.ptp(points, axis=0).min() <= 0:
        raise SampleError(SampleStatus.WRONG_LANDMARKS, f"{where}: the points span a face without an area")
    return points


def member_of(record, role: str) -> Member | None:
    """The place of a sample's ``rgb``, ``classes`` or ``landmarks``, or None when the archive lacks it."""
    offset = getattr(record, f"{role}_offset")
    if offset < 0:
        return None
    return Member(
        name=record.image_id + MEMBER_SUFFIXES[role],
        offset=offset,
        compressed_bytes=getattr(record, f"{role}_compressed_bytes"),
        bytes=getattr(record, f"{role}_bytes"),
        method=getattr(record, f"{role}_method"),
        crc=getattr(record, f"{role}_crc"),
    )


def _read(archive: Archive, record, role: str) -> bytes:
    member = member_of(record, role)
    if member is None:
        message = f"the archive has no {record.image_id}{MEMBER_SUFFIXES[role]}"
        raise SampleError(SampleStatus.MISSING_MEMBER, message)
    try:
        return archive.read(member)
    except MemberError as error:
        raise SampleError(SampleStatus.UNREADABLE_MEMBER, str(error)) from error


def _decode(archive: Archive, record, role: str, flags: int, pixels: int) -> np.ndarray:
    data = _read(archive, record, role)
    name = record.image_id + MEMBER_SUFFIXES[role]
    # Labels are of the pixels as they are stored: an orientation tag turns none.
    flags |= cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags) if data else None
    if image is None:
        raise SampleError(SampleStatus.UNDECODABLE_IMAGE, f"{name}: its {len(data)} bytes are no image")
    if image.shape[:2] != (pixels, pixels):
        found = "x".join(map(str, image.shape[:2]))
        raise SampleError(SampleStatus.WRONG_SIZE, f"{name}: expected {pixels}x{pixels} pixels, found {found}")
    return image
