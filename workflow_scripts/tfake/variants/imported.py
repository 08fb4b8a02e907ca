"""What T-FAKE publishes: ``{id}_thermal.png``, 16 bit (or 8, as in its figures) for 20 to 40 °C; a pickle of points.

The pickle is read without running what a pickle could hold. Nothing of numpy is called while it is taken apart: what
it asks for is written down by stand-ins, and made into arrays afterwards, each by itself. All protocols, and numpy 1
and 2, write arrays by the few names that are known here.
"""

import io
import logging
import pickle
import pickletools
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import cv2
import numpy as np

from tfake.archive.file_trees import FileTree
from tfake.archive.thermal_files import IMAGE_SUFFIXES
from tfake.core.codes import MESH_POINTS
from tfake.core.radiometry import ZERO_CELSIUS_KELVIN
from tfake.thermal_io.scales import Scale, check_plausible, spread_evenly

#: What unpickling raises at bytes that are no pickle, or that ask for what a stand-in does not do.
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    MemoryError,
    RecursionError,
)
_NUMBERS = re.compile(r"[<>=|]?[biuf][1248]")


class _Dtype:
    """A data type as a pickle spells it."""

    def __init__(self, spelling: str, *_: object):
        self.spelling = spelling

    def __setstate__(self, state: tuple) -> None:
        self.spelling = f"{state[1]}{str(self.spelling).lstrip('<>=|')}"

    def numpy(self) -> np.dtype:
        if not _NUMBERS.fullmatch(str(self.spelling)):
            raise ValueError(f"expected numbers, found an array of {self.spelling}")
        return np.dtype(self.spelling)


class _Array:
    """An array as a pickle spells it."""

    def __init__(self, *parts: object):
        self.parts = parts  # bytes, dtype, shape, order

    def __setstate__(self, state: tuple) -> None:
        shape, dtype, is_fortran, data = state[-4:]
        self.parts = (data, dtype, shape, "F" if is_fortran else "C")

    def numpy(self) -> np.ndarray:
        if len(self.parts) != 4 or not isinstance(self.parts[1], _Dtype):
            raise ValueError("an array without its data type or its shape")
        data, dtype, shape, order = self.parts
        numbers = dtype.numpy()
        # Python 2 wrote bytes as text.
        data = data.encode("latin1") if isinstance(data, str) else data
        if not isinstance(data, bytes | bytearray) or order not in ("C", "F"):
            raise ValueError(f"an array whose data are {type(data).__name__} in the order {order!r}")
        return np.frombuffer(data, numbers).reshape(shape, order=order).copy()


class _StandIn(NamedTuple):
    """Called in place of what the pickle asks for; a tuple, so that a pickle cannot change it."""

    make: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding}")
    return text.encode("latin1")


_STAND_INS = {
    ("numpy", "ndarray"): _StandIn(_Array),
    ("numpy", "dtype"): _StandIn(_Dtype),
    # How protocols 0 to 2 write bytes.
    ("_codecs", "encode"): _StandIn(_encode),
    ("builtins", "bytes"): _StandIn(lambda: b""),
    ("collections", "OrderedDict"): _StandIn(dict),
    ("collections", "defaultdict"): _StandIn(lambda *_: {}),
    # What a defaultdict makes of a missing name.
    ("builtins", "list"): _StandIn(list),
    ("__builtin__", "list"): _StandIn(list),
}
for _path in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"):
    _STAND_INS["pathlib", _path] = _StandIn(lambda *parts: "/".join(map(str, parts)))
for _core in ("core", "_core"):
    _STAND_INS |= {
        (f"numpy.{_core}.multiarray", "_reconstruct"): _StandIn(lambda *_: _Array()),
        (f"numpy.{_core}.multiarray", "scalar"): _StandIn(lambda dtype, data: _Array(data, dtype, (), "C")),
        (f"numpy.{_core}.numeric", "_frombuffer"): _StandIn(_Array),
    }


class _ArraysOnly(pickle.Unpickler):
    """Refuses every class and function without a stand-in: a pickle from elsewhere is a program."""

    def find_class(self, module: str, name: str) -> _StandIn:
        if (module, name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}; only numpy arrays are read")
        return _STAND_INS[module, name]


def load_arrays(data: bytes) -> dict[str, Any]:
    """Read a pickle of a mapping of names to arrays, in any protocol.

    Args:
        data: the pickle.

    Returns:
        The mapping; its values are what ``as_array`` takes.

    Raises:
        ValueError: it is no pickle, holds something else, or would run code.
    """
    try:
        _check_memo(data)
        content = _ArraysOnly(io.BytesIO(data), encoding="latin1").load()
    except _BROKEN as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a mapping of file names to points, found {type(content).__name__}")  # noqa: TRY004
    return {_text(name): value for name, value in content.items()}


def as_array(value: Any) -> np.ndarray:
    """A value of ``load_arrays`` as an array.

    Args:
        value: an array or lists of numbers, as the pickle spells them.

    Returns:
        float64, of its shape.

    Raises:
        ValueError: it is neither.
    """
    try:
        return np.asarray(value.numpy() if isinstance(value, _Array) else _plain(value), dtype=np.float64)
    except (TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise ValueError(f"expected an array of numbers, found {type(value).__name__} ({error})") from error


def _text(name: object) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value.numpy() if isinstance(value, _Array) else value


def _check_memo(data: bytes) -> None:
    """Refuse a pickle whose memo has an index far beyond its length: unpickling would take memory up to it."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > len(data):
            raise pickle.UnpicklingError(f"it has {len(data)} bytes and a memo of {argument} entries")


LOWEST_CELSIUS, SPAN_KELVIN = 20.0, 20.0

_SUFFIX = "_thermal.png"


def list_images(tree: FileTree) -> dict[str, str]:
    """Where each image is.

    Args:
        tree: the folder or zip.

    Returns:
        Image id to name in the tree.

    Raises:
        ValueError: two images have the same id, or there is none.
    """
    found: dict[str, str] = {}
    for name in tree.names:
        if name.endswith(_SUFFIX):
            image_id = PurePosixPath(name).name.removesuffix(_SUFFIX)
            if image_id in found:
                both = f"{found[image_id]} and {name}"
                raise ValueError(f"{tree.where}: {both} have the same id; name one variant's folder")
            found[image_id] = name
    if not found:
        raise ValueError(f"{tree.where}: no file is named {{id}}{_SUFFIX}")
    return found


def read_image(tree: FileTree, name: str, pixels: int) -> np.ndarray:
    """Read one image.

    Args:
        tree: the folder or zip.
        name: the image's name in it.
        pixels: height and width that it must have.

    Returns:
        (H, W) float32 °C.

    Raises:
        ValueError: it is no gray image of 8 or 16 bits, or of another size than the source's.
    """
    values = _decode(tree, name)
    if values.shape != (pixels, pixels):
        found = "x".join(map(str, values.shape))
        raise ValueError(f"{tree.where}, {name}: expected {pixels}x{pixels} pixels as the source has, found {found}")
    return _scale(values).convert(values)


def check_images(tree: FileTree, images: dict[str, str]) -> None:
    """Judge some images, spread over all, by the temperatures that T-FAKE's encoding gives them.

    Args:
        tree: the folder or zip.
        images: from ``list_images``.

    Raises:
        ValueError: they show no people so, such as counts of 0.01 K that lie within half a kelvin, or none of them can
            be read; with the first of those that cannot.
    """
    readable, fault = [], None
    for name in spread_evenly(list(images.values())):
        try:
            readable.append((name, _decode(tree, name)))
        except ValueError as error:
            fault = fault or error
    if fault and not readable:
        raise fault
    for kind in (np.uint8, np.uint16):
        ours = [(name, values) for name, values in readable if values.dtype == kind]
        remedy = "T-FAKE's layout holds 8 or 16 bits for 20 to 40 °C; convert from {}"
        check_plausible(ours, _scale(np.zeros(1, kind)), tree.where, remedy=remedy)


def _scale(values: np.ndarray) -> Scale:
    full = np.iinfo(values.dtype).max
    return Scale("counts", full / SPAN_KELVIN, ZERO_CELSIUS_KELVIN + LOWEST_CELSIUS)


def _decode(tree: FileTree, name: str) -> np.ndarray:
    data = np.frombuffer(tree.read(name), dtype=np.uint8)
    values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if values is None or values.ndim != 2 or values.dtype not in (np.uint8, np.uint16):
        found = "no image" if values is None else f"{values.dtype} of shape {values.shape}"
        raise ValueError(f"{tree.where}, {name}: expected a gray image of 8 or 16 bits, found {found}")
    return values


#: Entries that cannot be used and are named one by one.
_FAULTS_TOLD = 20


def read_points(path: str | Path) -> dict[str, np.ndarray]:
    """Read ``annotations.pkl``: file names to points in 0..1 of the image, from its corner.

    An entry that holds no such points, or whose image another entry has with other points, is left out with a warning.

    Args:
        path: the pickle.

    Returns:
        Image id to (478, 2 or 3) float64.

    Raises:
        ValueError: the file is no pickle of a mapping of names to such arrays, not one entry can be used, or it would
            run code.
    """
    try:
        content = load_arrays(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is no pickle of dense points: {error}") from error
    points: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}
    faults = {}
    for name, values in content.items():
        image_id = _image_id(name)
        try:
            found = _mesh(values)
        except ValueError as error:
            faults[name] = str(error)
            continue
        other = names.setdefault(image_id, name)
        if other != name and not np.array_equal(points[image_id], found, equal_nan=True):
            faults |= dict.fromkeys((other, name), f"{other} and {name} have other points for the image {image_id}")
        points[image_id] = found
    for name, fault in list(faults.items())[:_FAULTS_TOLD]:
        logging.warning("%s, %s: left out: %s", path, name, fault)
    if len(faults) > _FAULTS_TOLD:
        logging.warning("%s: %d further entries are left out", path, len(faults) - _FAULTS_TOLD)
    usable = {image_id: found for image_id, found in points.items() if names[image_id] not in faults}
    if not usable:
        first = "; {}: {}".format(*next(iter(faults.items()))) if faults else ""
        raise ValueError(f"{path}: not one of its {len(content)} entries can be used{first}")
    return usable


def _image_id(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    # An id may have a dot in it, and a name no suffix.
    bare = path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name
    return bare.removesuffix("_thermal")


def _mesh(values: Any) -> np.ndarray:
    array = as_array(values)
    # Some tools write a list of faces, with one face in it.
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2 or array.shape[0] != MESH_POINTS or array.shape[1] not in (2, 3):
        raise ValueError(f"expected ({MESH_POINTS}, 2 or 3) points, found {array.shape}")
    if not np.isfinite(array[:, :2]).all():
        raise ValueError("a coordinate is not finite")
    middle = np.median(array[:, :2], axis=0)
    # A face may leave its image, but not with its middle.
    if not ((middle > -0.5) & (middle < 1.5)).all():
        raise ValueError(f"expected coordinates in 0..1 of the image, found a face around {middle.round(1).tolist()}")
    return array
