"""Pickles of numpy arrays, read without running what a pickle could hold.

Nothing of numpy is called while the pickle is taken apart: what it asks for is written down by stand-ins, and made into
arrays afterwards, each by itself. All protocols, and numpy 1 and 2, write arrays by the few names that are known here.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

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
    """Refuse a pickle whose memo has a place far behind the others: unpickling would take memory up to it."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > len(data):
            raise pickle.UnpicklingError(f"it has {len(data)} bytes and a memo of {argument} entries")
