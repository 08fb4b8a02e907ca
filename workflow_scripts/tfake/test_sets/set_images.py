"""Images of test sets: which one an annotation means, and its pixels, without a guess at either."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np

from tfake.archive.file_trees import FileTree, open_tree
from tfake.core.text_tables import decode_text
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet
from tfake.test_sets.read_log import ReadLog, RowError
from tfake.thermal_io.false_colours import filled, gray_of, is_gray, recover
from tfake.thermal_io.frames import ThermalFileError
from tfake.thermal_io.thermal_reading import open_thermal

_DRIVE = re.compile(r"[A-Za-z]:")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tiff", ".tif", ".bmp")


def reader(tree: FileTree) -> Callable[[str], np.ndarray]:
    """A function that reads an image of a tree: (H, W) float32 °C, uint16 or uint8, or (H, W, 3) uint8, BGR.

    Colours come in OpenCV's order, as landmarkers take them; false colours of a known palette become gray. It raises a
    ValueError, naming the image, where it cannot be read, or has several frames.
    """

    def read(name: str) -> np.ndarray:
        try:
            with open_thermal(tree.read(name), name) as recording:
                images = [_as_shown(frame.pixels) for frame in recording]
        except ThermalFileError as error:
            raise ValueError(f"{tree.where}: {name} is no image that can be read: {error}") from error
        if len(images) != 1:
            raise ValueError(f"{tree.where}: {name}: expected one image, found {len(images)}")
        return images[0]

    return read


def _as_shown(pixels: np.ndarray) -> np.ndarray:
    if is_gray(pixels):
        return gray_of(pixels)
    recovered = recover(pixels)
    if recovered is not None:
        return (filled(recovered.values) * 255).round().astype(np.uint8)
    return (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


class ImageIndex:
    """The images of a set, to be found by what annotations call them: by name and folders, never the first of several.

    What is not there, or is there several times, is a :class:`RowError`: ``no_image`` or ``ambiguous_image``.
    """

    def __init__(self, tree: FileTree) -> None:
        """List the images among a set's files."""
        self._by_stem: dict[str, list[str]] = {}
        self._announced: dict[str, set[tuple[str, ...]]] = {}
        for name in tree.names:
            if PurePosixPath(name).suffix.lower() in SUFFIXES:
                self._by_stem.setdefault(_stem(name), []).append(name)

    def beside(self, annotation: str, folders: Sequence[str] = (), hint: str = "") -> str:
        """The image of the same stem as an annotation file, beside it or in a folder beside its own.

        Args:
            annotation: the annotation file; what lies in ``labels/`` has its image in ``images/``.
            folders: names of folders that stand beside the annotation's folder.
            hint: the image's name as the annotation has it, to choose among several of one stem.

        Raises:
            RowError: none, or several.
        """
        path = PurePosixPath(annotation)
        places = {path.parent, *(path.parent.parent / folder for folder in folders)}
        parts = list(path.parent.parts)
        if "labels" in parts:
            parts[len(parts) - 1 - parts[::-1].index("labels")] = "images"
            places.add(PurePosixPath(*parts))
        stem = path.name.removesuffix(path.suffix)
        found = [name for name in self._by_stem.get(stem, []) if PurePosixPath(name).parent in places]
        hinted = [name for name in found if PurePosixPath(name).name == _parts(hint)[-1:][0]] if _parts(hint) else []
        looked = " or ".join(sorted("the top folder" if place == PurePosixPath() else f"{place}/" for place in places))
        return _only(hinted or found, f"no image of its name in {looked}", annotation)

    def announce(self, references: Iterable[str]) -> None:
        """Tell all that a table will refer to, as for ``named``, so that no two of its images become one."""
        for parts in map(_parts, references):
            if parts:
                self._announced.setdefault(_stem(parts[-1]), set()).add(tuple(parts[:-1]))

    def named(self, reference: str, near: str = "") -> str:
        """The image that a table refers to.

        Args:
            reference: its name with none, some or all of its folders, in any system's spelling; its suffix may be
                another one or missing.
            near: a folder where it may lie.

        Returns:
            The image of exactly this path, in ``near`` or from the top; else the only one whose path and the reference
            agree as far as the shorter one goes.

        Raises:
            RowError: none, or several; or it would be another announced reference's as well.
        """
        parts = _parts(reference)
        if not parts:
            raise RowError("no_image", "no image is named")
        named = self._by_stem.get(_stem(parts[-1]), [])
        for place in (PurePosixPath(near, *parts).as_posix(), "/".join(parts)):
            if place in named:
                return place
        found = [name for name in named if _agree(PurePosixPath(name).parts[:-1], parts[:-1])]
        exact = [name for name in found if PurePosixPath(name).name == parts[-1]]
        if len(found) == 1 and (also := self._also_named(found[0], parts)):
            raise RowError("ambiguous_image", f"{found[0]} may be {reference!r} or {also!r}")
        elsewhere = f"; of that name there is {', '.join(named[:2])}" if named else ""
        return _only(exact or found, f"no image {reference!r}{elsewhere}", reference)

    def _also_named(self, image: str, parts: Sequence[str]) -> str:
        """Another announced reference that an image at the top would be as well, "" without one.

        The folders of the reference are then its own affair, and nothing tells it from one with others or none.
        """
        own = tuple(parts[:-1])
        if own and len(PurePosixPath(image).parts) == 1:
            for other in sorted(self._announced.get(_stem(parts[-1]), ())):
                if other != own and (not other or not _agree(other, own)):
                    return "/".join((*other, parts[-1]))
        return ""


def _parts(reference: str) -> list[str]:
    parts = [part for part in reference.strip().replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return parts[1:] if parts and _DRIVE.fullmatch(parts[0]) else parts


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return path.name.removesuffix(path.suffix) if path.suffix.lower() in SUFFIXES else path.name


def _agree(folders: Sequence[str], named: Sequence[str]) -> bool:
    common = min(len(folders), len(named))
    return common == 0 or list(folders[-common:]) == list(named[-common:])


def _only(found: Sequence[str], missing: str, reference: str) -> str:
    if not found:
        raise RowError("no_image", missing)
    if len(found) > 1:
        raise RowError("ambiguous_image", f"{reference!r} may be {' or '.join(found)}")
    return found[0]


def read_annotations(
    path: str,
    title: str,
    suffix: str,
    expected: str,
    read_face: Callable[[str, str, ImageIndex, ReadLog], AnnotatedFace],
) -> AnnotatedSet:
    """Read a set that has one file of annotations a face.

    Args:
        path: the folder or zip.
        title: what it is, for messages.
        suffix: of the files of annotations, in lower case.
        expected: what such files are called, for messages.
        read_face: gives a face from the file's name, its text, the set's images, and the log for warnings; an error of
            ``CONTENT_ERRORS`` excludes the face.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no such file.
    """
    tree = open_tree(path, title)
    files = [name for name in tree.names if PurePosixPath(name).suffix.lower() == suffix]
    if not files:
        raise ValueError(f"{path}: expected {expected}; found none")
    log, faces, images = ReadLog(), [], ImageIndex(tree)
    for name in files:
        with log.reading(name):
            faces.append(read_face(name, decode_text(tree.read(name)), images, log).checked())
    return AnnotatedSet(tuple(faces), log, reader(tree))
