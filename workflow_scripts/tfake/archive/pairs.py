"""Paired visible and thermal images: a folder or a zip, read in place.

Which visible, thermal and class images belong together, and whose they are, is told by their names, in one of these
layouts:

``stems``: ``{stem}_v.*``, ``{stem}_t.*`` and, if known, ``{stem}_seg.png`` and ``{stem}_mesh.npy``: SEJONG as released,
and our lab set.
``tfake``: ``{stem}_rgb.*``, ``{stem}_thermal.*``: SEJONG as T-FAKE preprocessed it (Flotho et al., CVPR 2025).
``speakingfaces``: ``sub_{id}/trial_{t}/{rgb_image_aligned,thr_image}/{…}_{frame}_{3|1}.png``, and the same with
``rgb_image_cmd_aligned``, ``thr_image_cmd`` for its second session (IS2AI/SpeakingFaces; the last number is the
stream).
``folders``: ``visible/``, ``thermal/`` and, if known, ``seg/`` and ``mesh/``, with the same names below them up to the
suffix.

A mesh is FaceMesh's points of the visible image, (478, 3) or (468, 3) numbers of a NumPy file: x and y in its pixels
with centres at integers, and depth in the same unit, smaller nearer. A pair with a mesh and a class map has a heat
field. ``tfake`` names it as ``stems`` does.

A table ``pairs.csv`` in the set may tell who is on a pair, and the ambient temperature. Its columns are ``name`` (of
the pair, as ``PairedSet.names`` has it, or less the folder that the table lies in), ``subject`` and
``ambient_celsius``; the last two may be missing or empty. What the thermal values mean is declared
(:mod:`tfake.archive.thermal_files`).
"""

import io
import math
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath

import numpy as np

from tfake.archive.file_trees import FileTree, inner_path, open_tree
from tfake.archive.thermal_files import (
    IMAGE_SUFFIXES,
    THERMAL_SUFFIXES,
    check_scale,
    check_thermal,
    read_class_map,
    read_header,
    read_stored,
    read_visible,
    to_thermal,
)
from tfake.core.text_tables import parse_number, read_rows
from tfake.thermal_io.scales import Scale, parse_scale, spread_evenly

_SUFFIXES = {"visible": IMAGE_SUFFIXES, "thermal": THERMAL_SUFFIXES, "segmentation": (".png",), "mesh": (".npy",)}
_SPEAKING_FACES = re.compile(
    r"(?P<before>(?:.*/)?(?P<subject>sub_\d+)(?:_\w+)?/trial_\d+)/"
    r"(?:rgb_image(?:_cmd)?_aligned/(?P<visible>\w+)_3|thr_image(?:_cmd)?/(?P<thermal>\w+)_1)"
)
_FOLDER_ROLES = {"visible": "visible", "thermal": "thermal", "seg": "segmentation", "mesh": "mesh"}
#: How many of FaceMesh's points a mesh may have: with the irises or without.
_MESH_POINTS = (478, 468)


@dataclass(frozen=True)
class PairMembers:
    """The files of one pair."""

    visible: str
    thermal: str
    segmentation: str | None
    mesh: str | None
    subject: str  # "" when the naming does not tell


@dataclass(frozen=True)
class _Place:
    role: str
    stem: str
    subject: str | None = None  # None: the stem's folders tell


_Locate = Callable[[str], _Place | None]


def _by_ending(visible: str, thermal: str) -> _Locate:
    roles = {visible: "visible", thermal: "thermal", "seg": "segmentation", "mesh": "mesh"}

    def locate(bare: str) -> _Place | None:
        stem, _, ending = bare.rpartition("_")
        role = roles.get(ending.lower())
        return None if role is None else _Place(role, stem)

    return locate


def _by_stream(bare: str) -> _Place | None:
    match = _SPEAKING_FACES.fullmatch(bare)
    if not match:
        return None
    role = "visible" if match["visible"] else "thermal"
    # The two sessions have folders, but also file names, of their own: the stem needs no more than the file name.
    return _Place(role, f"{match['before']}/{match[role]}", match["subject"])


def _by_folder(bare: str, shared: int, last: bool = False) -> _Place | None:
    parts = PurePosixPath(bare).parts
    places = [place for place in range(shared, len(parts) - 1) if parts[place].lower() in _FOLDER_ROLES]
    if not places:
        return None
    place = places[-1 if last else 0]
    return _Place(_FOLDER_ROLES[parts[place].lower()], "/".join((*parts[:place], *parts[place + 1 :])))


def _folder_ways(names: Sequence[str]) -> list[_Locate]:
    """The folder that tells a role is the first below those that all share, or else the last.

    The whole set may lie in a folder called "thermal", and so may each person's part of it.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    folders = [parts for parts in folders if any(part.lower() in _FOLDER_ROLES for part in parts)]
    shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False)))
    return [partial(_by_folder, shared=shared), partial(_by_folder, shared=0, last=True)]


# How a file's place is found, from all the set's names; a second way is gone where the first leaves a lone file.
_LAYOUTS: dict[str, tuple[Callable[[Sequence[str]], list[_Locate]], str]] = {
    "stems": (lambda _: [_by_ending("v", "t")], "STEM_v.* and STEM_t.*"),
    "tfake": (lambda _: [_by_ending("rgb", "thermal")], "STEM_rgb.* and STEM_thermal.*"),
    "speakingfaces": (lambda _: [_by_stream], "sub_*/trial_*/rgb_image_aligned/NAME_3.png and …/thr_image/NAME_1.png"),
    "folders": (_folder_ways, "visible/NAME.* and thermal/NAME.*"),
}
PAIR_LAYOUTS = tuple(_LAYOUTS)


def check_layout(layout: str) -> None:
    """Refuse a layout that is not known.

    Raises:
        ValueError: with what was expected and found.
    """
    if layout not in _LAYOUTS:
        raise ValueError(f"the pairs' layout must be one of {', '.join(PAIR_LAYOUTS)}; found {layout!r}")


def match_pairs(where: str, names: Sequence[str], layout: str) -> dict[str, PairMembers]:
    """Find the pairs among the files of a set.

    Args:
        where: the folder or zip, for messages.
        names: its files, "/" between folders; those that the layout does not name are left out.
        layout: one of ``PAIR_LAYOUTS``.

    Returns:
        Members by stem. The subject is ``sub_*`` for SpeakingFaces; else the first folder of the stem that the set's
        stems do not all share; a folder all pairs are in is the subject only when there is none below it.

    Raises:
        ValueError: an unknown layout, no pair, a file without partner, or two files for one place.
    """
    check_layout(layout)
    ways, expected = _LAYOUTS[layout]
    tries = [_locate_all(names, locate) for locate in ways(names)]
    found, subjects, twice = next((tried for tried in tries if _is_complete(tried[0])), tries[0])
    if twice:
        raise ValueError(f"{where}: {twice[0]} and {twice[1]} claim the same place")
    visible, thermal = found["visible"], found["thermal"]
    if lone := _lone(found):
        unmatched = sorted(stems[stem] for stems in (visible, thermal) for stem in lone & stems.keys())
        more = f" and {len(unmatched) - 5} more" if len(unmatched) > 5 else ""
        raise ValueError(f"{where}: no partner for {', '.join(unmatched[:5])}{more}; a pair is {expected}")
    if not visible:
        raise ValueError(f"{where}: no pairs {expected} among its {len(names)} files")
    pairs = {
        stem: PairMembers(
            visible[stem],
            thermal[stem],
            found["segmentation"].get(stem),
            found["mesh"].get(stem),
            subjects[stem] or "",
        )
        for stem in visible
    }
    unknown = [stem for stem in pairs if not pairs[stem].subject]
    return pairs | {
        stem: replace(pairs[stem], subject=subject)
        for stem, subject in zip(unknown, _subjects_by_folder(unknown), strict=True)
    }


def _locate_all(
    names: Sequence[str], locate: _Locate
) -> tuple[dict[str, dict[str, str]], dict[str, str | None], tuple[str, str] | None]:
    """Names by role and stem, the subject of each stem, and the first two names that claim one place."""
    found: dict[str, dict[str, str]] = {role: {} for role in _SUFFIXES}
    subjects: dict[str, str | None] = {}
    twice = None
    for name in names:
        suffix = PurePosixPath(name).suffix
        place = locate(name.removesuffix(suffix))
        if place is None or suffix.lower() not in _SUFFIXES[place.role]:
            continue
        claimed = found[place.role].setdefault(place.stem, name)
        if claimed != name:
            twice = twice or (claimed, name)
        subjects[place.stem] = place.subject
    return found, subjects, twice


def _is_complete(found: dict[str, dict[str, str]]) -> bool:
    known = found["segmentation"].keys() | found["mesh"].keys()
    return bool(found["visible"]) and not _lone(found) and known <= found["visible"].keys()


def _lone(found: dict[str, dict[str, str]]) -> set[str]:
    return found["visible"].keys() ^ found["thermal"].keys()


def _subjects_by_folder(stems: Sequence[str]) -> list[str]:
    folders = [PurePosixPath(stem).parts[:-1] for stem in stems]
    # A zip often holds one folder with everything in it: that is no subject, as long as there are folders below it.
    while folders and all(len(parts) > 1 for parts in folders) and len({parts[0] for parts in folders}) == 1:
        folders = [parts[1:] for parts in folders]
    return [parts[0] if parts else "" for parts in folders]


PAIR_TABLE = "pairs.csv"
_COLUMNS = ("name", "subject", "ambient_celsius")


@dataclass(frozen=True)
class PairNotes:
    """What the table says of one pair."""

    subject: str = ""  # "": the naming of the files decides
    ambient_celsius: float | None = None


def read_pair_tables(tree: FileTree, names: Container[str]) -> dict[str, PairNotes]:
    """Read the tables of a set: one at its top, or one in a folder for what lies below it.

    Args:
        tree: the set's files.
        names: the pairs there are; the tables need not name all.

    Returns:
        What they say, by pair.

    Raises:
        ValueError: no column ``name``, an unknown column, an unknown or repeated pair, or an ambient that is no
            temperature; with the table and the line's number.
    """
    notes: dict[str, PairNotes] = {}
    for table in tree.names:
        if PurePosixPath(table).name.lower() == PAIR_TABLE:
            try:
                _read(tree.read(table), PurePosixPath(table).parent, names, notes)
            except ValueError as error:
                raise ValueError(f"{tree.where}: {table}: {error}") from error
    return notes


def _read(data: bytes, folder: PurePosixPath, names: Container[str], notes: dict[str, PairNotes]) -> None:
    header, *rows = read_rows(data)
    found = header.cells
    if "name" not in found or set(found) - set(_COLUMNS) or len(set(found)) < len(found):
        raise ValueError(
            f"expected the columns {', '.join(_COLUMNS)}; found {', '.join(filter(None, found)) or 'none'}"
        )
    for row in rows:
        if row.is_blank:
            continue
        line = f"line {row.line}"
        if row.fault or len(row.cells) != len(found):
            raise ValueError(f"{line}: expected {len(found)} values{row.fault and ', but '}{row.fault}")
        cells = dict(zip(found, row.cells, strict=True))
        name = _find(cells["name"], folder, names)
        if name is None:
            raise ValueError(f"{line}: the set holds no pair {cells['name']!r}")
        if name in notes:
            raise ValueError(f"{line}: the pair {name!r} is there twice")
        notes[name] = PairNotes(cells.get("subject", ""), _read_ambient(cells.get("ambient_celsius", ""), line))


def _find(name: str, folder: PurePosixPath, names: Container[str]) -> str | None:
    inner = inner_path(name) or name
    places = ((folder / inner).as_posix(), inner)
    return next((place for place in places if place in names), None)


def _read_ambient(text: str, line: str) -> float | None:
    if not text:
        return None
    try:
        celsius = parse_number(text)
    except ValueError:
        celsius = math.nan
    if not -60 <= celsius <= 60:
        raise ValueError(f"{line}: expected an ambient of -60 to 60 degrees Celsius, found {text!r}")
    return celsius


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
    points: np.ndarray | None = None  # (478, 3) or (468, 3) float32 mesh of the visible image


class PairedSet(Sequence[Pair]):
    """A sequence of pairs, in order of their stems; an entry is read from disk each time it is asked for."""

    def __init__(self, tree: FileTree, scale: Scale, members: dict[str, PairMembers], notes: dict[str, PairNotes]):
        """Use :func:`open_pairs`; members and notes are by stem."""
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
            ValueError: a file cannot be decoded, a segmentation holds an unknown class, a temperature is missing, or a
                mesh is none.
        """
        name = self.names[index]
        members = self._members[name]
        rgb = read_visible(self._tree, members.visible)
        classes = None if members.segmentation is None else read_class_map(self._tree, members.segmentation)
        stored = read_stored(self._tree, members.thermal)
        thermal, known = to_thermal(stored, self.where, members.thermal, self.scale)
        points = None if members.mesh is None else _read_mesh(self._tree, members.mesh)
        room = self._notes[name].ambient_celsius
        return Pair(name, rgb, thermal, classes, self.subjects[index], room, known, points)

    def check(self) -> None:
        """Read every file's header and compare; and judge some thermal images by their values.

        Raises:
            ValueError: a file that is no image, two files of a pair with different sizes, a mesh that is none, or
                thermal images that do not hold what was declared.
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
            if members.mesh is not None:
                _read_mesh(self._tree, members.mesh)
            check_thermal(self._tree, members.thermal, thermal, self.scale)
        files = spread_evenly([self._members[name].thermal for name in self.names])
        check_scale(((file, read_stored(self._tree, file)) for file in files), self.scale, self.where)


def _read_mesh(tree: FileTree, name: str) -> np.ndarray:
    """(478, 3) or (468, 3) float32."""
    try:
        points = np.load(io.BytesIO(tree.read(name)), allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, and raises what that raises
        raise ValueError(f"{tree.where}: {name} cannot be decoded as an array ({error})") from error
    if not isinstance(points, np.ndarray):
        raise ValueError(f"{tree.where}: {name} cannot be decoded as an array (several arrays)")  # noqa: TRY004 - the file
    if points.ndim != 2 or len(points) not in _MESH_POINTS or points.shape[1] != 3 or points.dtype.kind not in "fiu":
        raise ValueError(
            f"{tree.where}: {name}: expected (478, 3) or (468, 3) numbers, found {points.dtype} {points.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError(f"{tree.where}: {name} holds points that are not finite; leave out the mesh that is not known")
    return points.astype(np.float32)


def open_pairs(path: str | Path, values: str | Mapping | Scale, layout: str = "stems") -> PairedSet:
    """Open a paired set and check it.

    Args:
        path: a folder or a zip.
        values: what the thermal images hold, as ``tfake.thermal_io.scales.parse_scale`` reads it.
        layout: how the files are named: one of ``PAIR_LAYOUTS``.

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
