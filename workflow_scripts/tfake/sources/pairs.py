"""Paired visible / thermal images in SEJONG's naming: ``{stem}_v.*``, ``{stem}_t.*`` and, if known, ``{stem}_seg.png``.

A set is a folder (searched with its subfolders) or a zip, read in place. What the thermal values mean is declared,
never guessed: ``celsius`` (uint16 counts of 0.01 K, or float32 degrees Celsius) or ``relative`` (any gray image whose
scale and offset carry nothing, such as SEJONG's 8-bit, min-max normalised one).
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from tfake.classes import is_class_id
from tfake.radiometry import decode_counts

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
PAIR_VALUES = ("celsius", "relative")
_SEGMENTATION_ENDING = "_seg.png"
_CELSIUS_NEEDS = "expected uint16 counts of 0.01 K or float32 degrees"


@dataclass(frozen=True)
class Pair:
    """One visible image, its registered thermal image, and the class map where the set has one."""

    name: str
    rgb: np.ndarray  # (H, W, 3) uint8
    thermal: np.ndarray  # (H, W) float32: degrees Celsius, or relative values
    classes: np.ndarray | None  # (H, W) uint8


@dataclass(frozen=True)
class _Members:
    visible: str
    thermal: str
    segmentation: str | None


class PairedSet(Sequence[Pair]):
    """A sequence of pairs, in order of their stems; an entry is read from disk each time it is asked for."""

    def __init__(self, where: str, values: str, members: dict[str, _Members], read: Callable[[str], bytes]) -> None:
        """Keep where the files are; use ``open_pairs``.

        Args:
            where: the folder or zip, for messages.
            values: ``celsius`` or ``relative``.
            members: file names of each stem.
            read: returns a file's bytes by name.
        """
        self.where = where
        self.values = values
        self.names = sorted(members)
        self._members = members
        self._read = read

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.names)

    def __getitem__(self, index: int) -> Pair:
        """Read one pair.

        Raises:
            ValueError: a file cannot be decoded, a segmentation holds an unknown class, or a temperature is missing.
        """
        name = self.names[index]
        members = self._members[name]
        rgb = cv2.cvtColor(self._decode(members.visible, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        classes = None
        if members.segmentation is not None:
            classes = self._decode(members.segmentation, cv2.IMREAD_UNCHANGED)
            if classes.ndim != 2 or classes.dtype != np.uint8 or not is_class_id(classes).all():
                raise ValueError(f"{self.where}: {members.segmentation} is no 8-bit map of the class ids 0..18 and 255")
        return Pair(name, rgb, self._read_thermal(members.thermal), classes)

    def _read_thermal(self, member: str) -> np.ndarray:
        raw = self._decode(member, cv2.IMREAD_UNCHANGED)
        # A gray JPEG may come with three equal channels; SEJONG's readers take the first of R, G, B.
        raw = raw[..., -1 if raw.shape[-1] == 3 else 0] if raw.ndim == 3 else raw
        if self.values == "celsius" and raw.dtype not in (np.uint16, np.float32):
            raise ValueError(f"{self.where}: {member} is declared celsius: {_CELSIUS_NEEDS}; found {raw.dtype}")
        is_counts = self.values == "celsius" and raw.dtype == np.uint16
        thermal = decode_counts(raw) if is_counts else raw.astype(np.float32)
        if not np.isfinite(thermal).all():
            missing = np.count_nonzero(~np.isfinite(thermal))
            raise ValueError(f"{self.where}: {member} has {missing} pixels without a temperature")
        return thermal

    def _decode(self, member: str, flags: int) -> np.ndarray:
        image = cv2.imdecode(np.frombuffer(self._read(member), np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise ValueError(f"{self.where}: {member} cannot be decoded as an image")
        return image

    def check(self) -> None:
        """Read every file's header and compare.

        Raises:
            ValueError: a file that is no image, two files of a pair with different sizes, or a thermal image that does
                not hold what was declared.
        """
        for name in self.names:
            members = self._members[name]
            visible, thermal = self._header(members.visible), self._header(members.thermal)
            others = [(members.thermal, thermal.size)]
            if members.segmentation is not None:
                others.append((members.segmentation, self._header(members.segmentation).size))
            for other, size in others:
                if size != visible.size:
                    sizes = "{}x{} and {}x{} pixels".format(*visible.size, *size)
                    raise ValueError(f"{self.where}: {members.visible} and {other} differ in size: {sizes}")
            if self.values == "celsius" and not thermal.mode.startswith(("I", "F")):
                found = f"found 8 bits a channel ({thermal.mode}); declare such a set relative"
                raise ValueError(f"{self.where}: {members.thermal} is declared celsius: {_CELSIUS_NEEDS}; {found}")

    def _header(self, member: str) -> Image.Image:
        try:
            with Image.open(io.BytesIO(self._read(member))) as image:
                return image
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"{self.where}: {member} cannot be decoded as an image") from error


def open_pairs(path: str | Path, values: str) -> PairedSet:
    """Open a paired set and check it.

    Args:
        path: a folder or a zip.
        values: what the thermal images hold: ``celsius`` or ``relative``.

    Returns:
        The pairs, in order of their stems (with their subfolder).

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: ``values`` is neither, the file is no zip, the set is empty, a file has no partner, two files claim
            one place, or what ``PairedSet.check`` finds.
    """
    if values not in PAIR_VALUES:
        raise ValueError(f"pair values must be one of {', '.join(PAIR_VALUES)}; found {values!r}")
    path = Path(path)
    if path.is_dir():
        names = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())

        def read(name: str) -> bytes:
            return (path / name).read_bytes()

    elif path.is_file():
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path}: the paired set is neither a folder nor a zip ({error})") from error
        names = sorted(archive.namelist())
        read = archive.read
    else:
        raise FileNotFoundError(f"{path}: no such folder or zip of paired images")
    pairs = PairedSet(str(path), values, _match(str(path), names), read)
    pairs.check()
    return pairs


def _match(where: str, names: list[str]) -> dict[str, _Members]:
    found: dict[str, dict[str, str]] = {"v": {}, "t": {}}
    segmentations = {n.removesuffix(_SEGMENTATION_ENDING): n for n in names if n.endswith(_SEGMENTATION_ENDING)}
    for name in names:
        file = Path(name)
        stem, _, role = name.removesuffix(file.suffix).rpartition("_")
        if file.suffix.lower() not in IMAGE_SUFFIXES or role not in found:
            continue
        if stem in found[role]:
            raise ValueError(f"{where}: {found[role][stem]} and {name} claim the same place")
        found[role][stem] = name
    lone = found["v"].keys() ^ found["t"].keys()
    unmatched = sorted(stems[stem] for stems in found.values() for stem in lone & stems.keys())
    if unmatched:
        more = f" and {len(unmatched) - 5} more" if len(unmatched) > 5 else ""
        raise ValueError(f"{where}: no partner for {', '.join(unmatched[:5])}{more}; a pair is STEM_v.* and STEM_t.*")
    if not found["v"]:
        raise ValueError(f"{where}: no pairs STEM_v.*, STEM_t.* among its {len(names)} files")
    return {stem: _Members(v, found["t"][stem], segmentations.get(stem)) for stem, v in found["v"].items()}
