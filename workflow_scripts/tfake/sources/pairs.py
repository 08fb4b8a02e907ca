"""Paired visible / thermal images: a folder or a zip in one of the layouts of ``pair_formats``, read in place.

What the thermal values mean is declared (``thermal_files``); a table ``pairs.csv`` may tell more (``pair_table``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfake.scales import Scale, parse_scale, spread_evenly
from tfake.sources.file_trees import FileTree, open_tree
from tfake.sources.pair_formats import PairMembers, check_layout, match_pairs
from tfake.sources.pair_table import PairNotes, read_pair_tables
from tfake.sources.thermal_files import (
    check_scale,
    check_thermal,
    read_class_map,
    read_header,
    read_stored,
    read_visible,
    to_thermal,
)


@dataclass(frozen=True)
class Pair:
    """One visible image, its registered thermal image, and what else the set knows of it."""

    name: str
    rgb: np.ndarray  # (H, W, 3) uint8
    thermal: np.ndarray  # (H, W) float32: degrees Celsius, or relative values
    classes: np.ndarray | None  # (H, W) uint8
    subject: str = ""  # "": not known
    ambient_celsius: float | None = None  # None: not known
    known: np.ndarray | None = None  # (H, W) bool: where the thermal values are the image's own; None: everywhere


class PairedSet(Sequence[Pair]):
    """A sequence of pairs, in order of their stems; an entry is read from disk each time it is asked for."""

    def __init__(self, tree: FileTree, scale: Scale, members: dict[str, PairMembers], notes: dict[str, PairNotes]):
        """Keep where the files are; use ``open_pairs``.

        Args:
            tree: the files.
            scale: what the thermal images are declared to be.
            members: file names and subject, by stem.
            notes: what ``pairs.csv`` says, by stem.
        """
        self.where = tree.where
        self.scale = scale
        #: What the thermal images are once read: ``celsius`` or ``relative``.
        self.values = scale.meaning
        self.names = sorted(members)
        self._tree = tree
        self._members = members
        self._notes = {name: notes.get(name, PairNotes()) for name in self.names}
        #: Who is on each pair, "" where that is not known; no image is read for it.
        self.subjects = [self._notes[name].subject or members[name].subject for name in self.names]

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
        rgb = read_visible(self._tree, members.visible)
        classes = None if members.segmentation is None else read_class_map(self._tree, members.segmentation)
        stored = read_stored(self._tree, members.thermal)
        thermal, known = to_thermal(stored, self.where, members.thermal, self.scale)
        return Pair(name, rgb, thermal, classes, self.subjects[index], self._notes[name].ambient_celsius, known)

    def check(self) -> None:
        """Read every file's header and compare; and judge some thermal images by their values.

        Raises:
            ValueError: a file that is no image, two files of a pair with different sizes, or thermal images that do not
                hold what was declared.
        """
        for name in self.names:
            members = self._members[name]
            visible, thermal = (read_header(self._tree, file) for file in (members.visible, members.thermal))
            others = [(members.thermal, thermal.size)]
            if members.segmentation is not None:
                others.append((members.segmentation, read_header(self._tree, members.segmentation).size))
            for other, size in others:
                if size != visible.size:
                    sizes = "{}x{} and {}x{} pixels".format(*visible.size, *size)
                    raise ValueError(f"{self.where}: {members.visible} and {other} differ in size: {sizes}")
            check_thermal(self._tree, members.thermal, thermal, self.scale)
        files = spread_evenly([self._members[name].thermal for name in self.names])
        check_scale(((file, read_stored(self._tree, file)) for file in files), self.scale, self.where)


def open_pairs(path: str | Path, values: str | Mapping | Scale, layout: str = "stems") -> PairedSet:
    """Open a paired set and check it.

    Args:
        path: a folder or a zip.
        values: what the thermal images hold, as ``tfake.scales.parse_scale`` reads it.
        layout: how the files are named: one of ``pair_formats.PAIR_LAYOUTS``.

    Returns:
        The pairs, in order of their stems (with their subfolder).

    Raises:
        FileNotFoundError: no such folder or file.
        ValueError: ``values`` or ``layout`` is unknown, the file is no zip, the set is empty, a file has no partner,
            two files claim one place, ``pairs.csv`` is wrong, or what ``PairedSet.check`` finds.
    """
    scale = parse_scale(values)
    check_layout(layout)
    tree = open_tree(path, "paired images")
    members = match_pairs(tree.where, tree.names, layout)
    pairs = PairedSet(tree, scale, members, read_pair_tables(tree, members))
    pairs.check()
    return pairs
