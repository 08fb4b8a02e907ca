"""Thermal images without a visible partner, from a folder or a zip, each with where the person is in it.

Every file of a format of ``tfake.thermal_io`` counts, each frame of stacks and films by itself; but not
``{stem}_seg.png``, the class map of ``{stem}.*``, and not tables (``.csv``) beside anything else, which they describe.
Without a class map, zeros are background in an 8-bit image that is blanked all around; else the foreground is
estimated.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from tfake.archive.file_trees import FileTree, open_tree
from tfake.archive.pairs import PairedSet
from tfake.archive.thermal_files import (
    THERMAL_SUFFIXES,
    StoredImage,
    check_scale,
    check_thermal,
    read_class_map,
    read_frames,
    read_header,
    to_thermal,
)
from tfake.core.classes import FaceClass
from tfake.imaging.foreground import estimate_foreground, find_unblanked
from tfake.thermal_io.scales import Scale, parse_scale, spread_evenly

_SEGMENTATION_ENDING = "_seg.png"
_TABLES = (".csv",)
# Decoded stacks and films that are kept: their frames are asked for in any order.
_KEPT_FILES = 4


class ThermalImages(Sequence[tuple[np.ndarray, np.ndarray]]):
    """A sequence of thermal images, in order of their names; an entry is read from disk each time it is asked for."""

    def __init__(self, tree: FileTree, scale: Scale, segmentations: dict[str, str | None]) -> None:
        """Use :func:`open_thermal_images`; ``segmentations`` holds the class map, or None, of each thermal image."""
        self.where = tree.where
        self.scale = scale
        #: What the images are once read: ``celsius`` or ``relative``.
        self.values = scale.meaning
        self._tree = tree
        self._segmentations = segmentations
        self._frames = lru_cache(_KEPT_FILES)(self._read_frames)
        self._places = [place for name in sorted(segmentations) for place in self._places_in(name)]
        #: Of each image: its file's, followed by its number where the file has several.
        self.names = [name if frame is None else f"{name}#{frame:06d}" for name, frame in self._places]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read one image: (H, W) float32, degrees Celsius or relative values, and (H, W) bool, its foreground.

        Raises:
            ValueError: a file cannot be decoded, is a picture in colours of no palette that is known, or has a pixel
                without a temperature; or its class map holds an unknown class.
        """
        stored = self._stored(index)
        thermal, known = to_thermal(stored, self.where, self.names[index], self.scale)
        segmentation = self._segmentations[self._places[index][0]]
        if segmentation is not None:
            foreground = foreground_of_classes(read_class_map(self._tree, segmentation))
        else:
            unblanked = find_unblanked(stored.numbers)
            foreground = estimate_foreground(thermal) if unblanked is None else unblanked
        return thermal, foreground if known is None else foreground & known

    def check(self) -> None:
        """Read every file's header and compare; and judge some images by their values.

        Raises:
            ValueError: a file that is no image, a class map of another size, or images that do not hold what was
                declared.
        """
        for name, segmentation in self._segmentations.items():
            header = read_header(self._tree, name)
            check_thermal(self._tree, name, header, self.scale)
            if segmentation is not None and (size := read_header(self._tree, segmentation).size) != header.size:
                sizes = "{}x{} and {}x{} pixels".format(*header.size, *size)
                raise ValueError(f"{self.where}: {name} and {segmentation} differ in size: {sizes}")
        few = spread_evenly(range(len(self)))
        check_scale(((self.names[index], self._stored(index)) for index in few), self.scale, self.where)

    def _places_in(self, name: str) -> list[tuple[str, int | None]]:
        if read_header(self._tree, name).frames == 1:
            return [(name, None)]
        return [(name, frame) for frame in range(len(self._frames(name)))]

    def _stored(self, index: int) -> StoredImage:
        name, frame = self._places[index]
        return self._read_frames(name)[0] if frame is None else self._frames(name)[frame]

    def _read_frames(self, name: str) -> list[StoredImage]:
        return read_frames(self._tree, name)


class ThermalsOfPairs(Sequence[tuple[np.ndarray, np.ndarray]]):
    """The thermal images of a paired set, as if they had no partner."""

    def __init__(self, pairs: PairedSet) -> None:
        """Keep the set."""
        self.values = pairs.values
        self._pairs = pairs

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read one image: (H, W) float32, degrees Celsius or relative values, and (H, W) bool, its foreground.

        Raises:
            ValueError: see ``PairedSet``.
        """
        pair = self._pairs[index]
        if pair.classes is not None:
            foreground = foreground_of_classes(pair.classes)
        else:
            foreground = estimate_foreground(pair.thermal)
        return pair.thermal, foreground if pair.known is None else foreground & pair.known


def foreground_of_classes(classes: np.ndarray) -> np.ndarray:
    """Where the person is, (H, W) bool, by a class map (H, W): neither BACKGROUND nor IGNORE."""
    return (classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)


def open_thermal_images(path: str | Path, values: str | Mapping | Scale) -> ThermalImages:
    """Open a set of thermal images and check it.

    Args:
        path: a folder or a zip.
        values: what the images hold, as ``tfake.thermal_io.scales.parse_scale`` reads it.

    Returns:
        The images, in order of their names (with their subfolder).

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: ``values`` is unknown, the file is no zip, the set is empty, a class map fits no image or several,
            or what ``ThermalImages.check`` finds.
    """
    scale = parse_scale(values)
    tree = open_tree(path, "thermal images")
    readable = [name for name in tree.names if _suffix(name) in THERMAL_SUFFIXES]
    readable = [name for name in readable if not name.lower().endswith(_SEGMENTATION_ENDING)]
    images = {name for name in readable if _suffix(name) not in _TABLES} or set(readable)
    by_stem: dict[str, list[str]] = {}
    for name in tree.names:
        if name in images:
            by_stem.setdefault(name.removesuffix(PurePosixPath(name).suffix), []).append(name)
    if not by_stem:
        endings = ", ".join(THERMAL_SUFFIXES)
        raise ValueError(f"{tree.where}: no thermal images ({endings}) among its {len(tree.names)} files")
    segmentations: dict[str, str | None] = dict.fromkeys(name for group in by_stem.values() for name in group)
    for name in tree.names:
        if name.lower().endswith(_SEGMENTATION_ENDING):
            owners = by_stem.get(name[: -len(_SEGMENTATION_ENDING)], [])
            if len(owners) != 1:
                raise ValueError(f"{tree.where}: {name}: expected one thermal image of that stem; found {len(owners)}")
            segmentations[owners[0]] = name
    opened = ThermalImages(tree, scale, segmentations)
    opened.check()
    return opened


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
