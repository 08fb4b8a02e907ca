"""Archives in FaceSynthetics' layout that the tests make themselves."""

import zipfile
from pathlib import Path

import cv2
import numpy as np

PIXELS = 64
#: A `labels` block of the config.
LABELS = {
    "backend": "facemesh",
    "face_landmarker": {"path": None},
    "min_detection_confidence": 0.5,
    "min_presence_confidence": 0.5,
    "retry_above": 0.04,
    "reject_above": 0.06,
    "fit_missing": True,
}


def sample_members(number: int, pixels: int = PIXELS) -> dict[str, bytes]:
    """The three members of a made-up sample: a disc of skin on a background, and 70 points around it."""
    rng = np.random.default_rng(number)
    rgb = rng.integers(0, 255, (pixels, pixels, 3), dtype=np.uint8)
    classes = np.zeros((pixels, pixels), dtype=np.uint8)
    cv2.circle(classes, (pixels // 2, pixels // 2), pixels // 3, 1, thickness=-1)
    points = pixels / 2 + rng.uniform(-pixels / 4, pixels / 4, (70, 2))
    image_id = f"{number:06d}"
    return {
        f"{image_id}.png": encode_png(rgb),
        f"{image_id}_seg.png": encode_png(classes),
        f"{image_id}_ldmks.txt": "".join(f"{x:.3f} {y:.3f}\n" for x, y in points).encode(),
    }


def encode_png(image: np.ndarray) -> bytes:
    """A PNG of a gray or RGB image."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", image)[1].tobytes()


def write_archive(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write members to a zip, in the order given."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return path


def write_samples(
    path: Path, numbers=range(4), compression: int = zipfile.ZIP_DEFLATED, **changes: bytes | None
) -> Path:
    """An archive of good samples, with some members replaced (bytes) or left out (None).

    A change is named by the member, dots as double underscores: ``000001_seg__png=b"no image"``.
    """
    members: dict[str, bytes] = {}
    for number in numbers:
        members |= sample_members(number)
    for name, data in changes.items():
        name = name.removeprefix("m").replace("__", ".")
        if data is None:
            members.pop(name, None)
        else:
            members[name] = data
    return write_archive(path, members, compression)


def flip_byte(path: Path, offset: int) -> None:
    """Invert one byte of a file in place."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)
