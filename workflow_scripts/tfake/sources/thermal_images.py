"""Thermal images without a visible partner, from a folder or a zip, each with where the person is in it.

Every image counts (PNG, JPEG, TIFF, BMP, ``.npy``), but ``{stem}_seg.png``: the class map of ``{stem}.*``. Without a
class map, zeros are background in an 8-bit image that is blanked all around; else the foreground is estimated.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from tfake.classes import FaceClass
from tfake.scales import Scale, check_plausible, parse_scale, spread_evenly
from tfake.sources.file_trees import FileTree, open_tree
from tfake.sources.pairs import PairedSet
from tfake.sources.thermal_files import (
    THERMAL_SUFFIXES,
    check_thermal,
    decode_image,
    read_class_map,
    read_header,
    single_channel,
    to_thermal,
)
from tfake.sources.thermal_foreground import estimate_foreground, find_unblanked

_SEGMENTATION_ENDING = "_seg.png"
# Gray images that went through a JPEG in colour come back with channels this far apart; palettes are far beyond it.
_GRAY_LEVELS = 8


class ThermalImages(Sequence[tuple[np.ndarray, np.ndarray]]):
    """A sequence of thermal images, in order of their names; an entry is read from disk each time it is asked for."""

    def __init__(self, tree: FileTree, scale: Scale, segmentations: dict[str, str | None]) -> None:
        """Keep where the files are; use ``open_thermal_images``.

        Args:
            tree: the files.
            scale: what the images are declared to be.
            segmentations: the class map, or None, of each thermal image.
        """
        self.where = tree.where
        self.scale = scale
        #: What the images are once read: ``celsius`` or ``relative``.
        self.values = scale.meaning
        self.names = sorted(segmentations)
        self._tree = tree
        self._segmentations = segmentations

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read one image: (H, W) float32, degrees Celsius or relative values, and (H, W) bool, its foreground.

        Raises:
            ValueError: a file cannot be decoded, is a picture in colours, or has a pixel without a temperature; or its
                class map holds an unknown class.
        """
        name = self.names[index]
        raw = decode_image(self._tree, name)
        if (
            raw.ndim == 3
            and raw.shape[-1] >= 3
            and np.ptp(raw[..., :3].astype(np.float32), axis=-1).max() > _GRAY_LEVELS
        ):
            raise ValueError(f"{self.where}: {name}: expected a gray thermal image; found a picture in colours")
        thermal = to_thermal(raw, self._tree, name, self.scale)
        segmentation = self._segmentations[name]
        if segmentation is not None:
            return thermal, foreground_of_classes(read_class_map(self._tree, segmentation))
        unblanked = find_unblanked(raw if raw.ndim == 2 else raw[..., 0])
        return thermal, estimate_foreground(thermal) if unblanked is None else unblanked

    def check(self) -> None:
        """Read every file's header and compare; and judge some images by their values.

        Raises:
            ValueError: a file that is no image, a class map of another size, or images that do not hold what was
                declared.
        """
        for name in self.names:
            header = read_header(self._tree, name)
            check_thermal(self._tree, name, header, self.scale)
            segmentation = self._segmentations[name]
            if segmentation is not None and (size := read_header(self._tree, segmentation).size) != header.size:
                sizes = "{}x{} and {}x{} pixels".format(*header.size, *size)
                raise ValueError(f"{self.where}: {name} and {segmentation} differ in size: {sizes}")
        raw = ((name, single_channel(decode_image(self._tree, name))) for name in spread_evenly(self.names))
        check_plausible(raw, self.scale, self.where)


class ThermalsOfPairs(Sequence[tuple[np.ndarray, np.ndarray]]):
    """The thermal images of a paired set, as if they had no partner."""

    def __init__(self, pairs: PairedSet) -> None:
        """Keep the set.

        Args:
            pairs: from ``open_pairs``.
        """
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
        known = pair.classes is not None
        return pair.thermal, foreground_of_classes(pair.classes) if known else estimate_foreground(pair.thermal)


def foreground_of_classes(classes: np.ndarray) -> np.ndarray:
    """Tell where the person is by a class map.

    Args:
        classes: (H, W) uint8 class ids.

    Returns:
        (H, W) bool: neither BACKGROUND nor IGNORE.
    """
    return (classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)


def open_thermal_images(path: str | Path, values: str | Mapping | Scale) -> ThermalImages:
    """Open a set of thermal images and check it.

    Args:
        path: a folder or a zip.
        values: what the images hold, as ``tfake.scales.parse_scale`` reads it.

    Returns:
        The images, in order of their names (with their subfolder).

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: ``values`` is unknown, the file is no zip, the set is empty, a class map fits no image or several,
            or what ``ThermalImages.check`` finds.
    """
    scale = parse_scale(values)
    tree = open_tree(path, "thermal images")
    by_stem: dict[str, list[str]] = {}
    for name in tree.names:
        if PurePosixPath(name).suffix.lower() in THERMAL_SUFFIXES and not name.endswith(_SEGMENTATION_ENDING):
            by_stem.setdefault(name.removesuffix(PurePosixPath(name).suffix), []).append(name)
    if not by_stem:
        endings = ", ".join(THERMAL_SUFFIXES)
        raise ValueError(f"{tree.where}: no thermal images ({endings}) among its {len(tree.names)} files")
    segmentations: dict[str, str | None] = dict.fromkeys(name for group in by_stem.values() for name in group)
    for name in tree.names:
        if name.endswith(_SEGMENTATION_ENDING):
            owners = by_stem.get(name.removesuffix(_SEGMENTATION_ENDING), [])
            if len(owners) != 1:
                raise ValueError(f"{tree.where}: {name}: expected one thermal image of that stem; found {len(owners)}")
            segmentations[owners[0]] = name
    images = ThermalImages(tree, scale, segmentations)
    images.check()
    return images
