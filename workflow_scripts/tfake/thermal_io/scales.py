"""What the numbers of a thermal image are declared to be, and whether a picture of people can hold them.

A scale is declared, never guessed: ``celsius`` (uint16 counts of 0.01 K, or floating degrees), ``kelvin``,
``fahrenheit``, ``{counts: {per_kelvin, offset}}`` for any linear counts (K = count / per_kelvin + offset), or
``relative``, whose scale and offset carry nothing. A declaration that cannot be true is refused, with the scales
under which the same numbers are a room with somebody in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfake.core.radiometry import ZERO_CELSIUS_KELVIN, decode_counts

#: The declarations of one word.
SCALE_NAMES = ("celsius", "kelvin", "fahrenheit", "relative")
#: What numbers are once they are read.
MEANINGS = ("celsius", "relative")
_EXPECTED = f"one of {', '.join(SCALE_NAMES)}, or {{counts: {{per_kelvin: NUMBER, offset: KELVIN_OF_COUNT_0}}}}"
_ZERO_FAHRENHEIT_KELVIN = ZERO_CELSIUS_KELVIN - 32 / 1.8
#: Counts that cameras and their programs write, by counts a kelvin and offset, and what people call them.
_KNOWN_COUNTS = {
    (10.0, 0.0): "0.1 K counts",
    (100.0, 0.0): "0.01 K counts",
    (64.0, 0.0): "K x 64",
    (25.0, 0.0): "0.04 K counts",
    (1000.0, 0.0): "0.001 K counts",
    (1.0, ZERO_CELSIUS_KELVIN): "whole °C",
    (10.0, ZERO_CELSIUS_KELVIN): "0.1 °C counts",
    (100.0, ZERO_CELSIUS_KELVIN): "0.01 °C counts",
    (1000.0, ZERO_CELSIUS_KELVIN): "0.001 °C counts",
    (18.0, _ZERO_FAHRENHEIT_KELVIN): "0.1 °F counts",
    (65535 / 20, ZERO_CELSIUS_KELVIN + 20): "T-FAKE's 16 bits for 20 to 40 °C",
}
_TITLES = {
    "celsius": "degrees Celsius",
    "kelvin": "Kelvin",
    "fahrenheit": "degrees Fahrenheit",
    "relative": "grey values stretched over their range",
}
#: Degrees Celsius: the 1st, 50th and 99th percentile of a picture that people may be in.
_BELIEVABLE = ((-100.0, 80.0), (-40.0, 50.0), (-40.0, 80.0))
#: Where somebody is in it: the least 99th percentile, and its least distance to the 1st in kelvin. A picture without
#: any distance tells nothing of its scale.
_WARMEST_OF_PEOPLE, _LEAST_SPAN = 10.0, 0.5
#: For likely scales alone: where rooms and skin lie, and how warm the warmest is at least and how far from the
#: coldest: first with a face in it, then with one too small to count.
_LIKELY_MIDDLE, _LIKELY_HIGHEST, _SKIN = (0.0, 37.0), 46.0, 34.0
_LIKELY_WARMEST_AND_SPAN = ((27.0, 3.0), (15.0, 1.0))
_STRETCHED_SHARE = 0.95
#: Floats over so much of 0 to 1 are grey values: no scene is within one kelvin of melting ice, and fills it.
_UNIT_SHARE = 0.9
_MOST_PIXELS = 1 << 13
_DECLARE = "declare values: {}"


class ScaleError(ValueError):
    """A thermal image does not hold what it was declared to hold; the message names the image and likely scales."""


@dataclass(frozen=True)
class Scale:
    """A declared scale.

    Attributes:
        name: one of ``SCALE_NAMES``, or ``counts``.
        per_kelvin: counts a kelvin.
        offset: temperature of the count 0, in kelvin.
    """

    name: str
    per_kelvin: float = 1.0
    offset: float = 0.0

    @property
    def meaning(self) -> str:
        """What ``convert`` returns: ``celsius`` or ``relative``."""
        return "relative" if self.name == "relative" else "celsius"

    def __str__(self) -> str:
        """The scale as the config declares it."""
        if self.name != "counts":
            return self.name
        return f"{{counts: {{per_kelvin: {self.per_kelvin:.10g}, offset: {self.offset:.10g}}}}}"

    @property
    def argument(self) -> str:
        """The scale as a command line declares it: ``counts:10:273.15``."""
        return self.name if self.name != "counts" else f"counts:{self.per_kelvin:.10g}:{self.offset:.10g}"

    def takes(self, dtype: np.dtype) -> bool:
        """Whether numbers of this type can be of this scale."""
        dtype = np.dtype(dtype)
        if self.name == "celsius":
            return dtype.kind == "f" or (dtype.kind == "u" and dtype.itemsize == 2)
        return dtype.kind in "uif"

    def convert(self, raw: np.ndarray) -> np.ndarray:
        """Turn numbers as stored into what they mean.

        Args:
            raw: numbers of any shape; ``takes`` their type.

        Returns:
            float32 of the same shape: degrees Celsius, NaN for the counts that mean "no temperature"; or, for
            ``relative``, the numbers as they are.

        Raises:
            ScaleError: another number type.
        """
        raw = np.asarray(raw)
        if not self.takes(raw.dtype):
            needs = "uint16 counts of 0.01 K or floating degrees" if self.name == "celsius" else "integers or floats"
            raise ScaleError(f"declared {self}: expected {needs}; found {raw.dtype}{_hint(raw)}")
        if self.name == "relative":
            return raw.astype(np.float32)
        if self.name == "celsius":
            return decode_counts(raw) if raw.dtype.kind == "u" else raw.astype(np.float32)
        values = raw.astype(np.float64)
        if self.name == "fahrenheit":
            return ((values - 32) / 1.8).astype(np.float32)
        return (values / self.per_kelvin + self.offset - ZERO_CELSIUS_KELVIN).astype(np.float32)


def parse_scale(declared: "str | Mapping | Scale") -> Scale:
    """Read a declaration, as the config's ``values`` or a command line has it.

    Args:
        declared: a name of ``SCALE_NAMES``; ``{"counts": {"per_kelvin": 10, "offset": 0}}``, where offset may be left
            out; or the same as text, ``counts:10`` or ``counts:10:273.15``.

    Raises:
        ValueError: anything else; with what was expected and found.
    """
    if isinstance(declared, Scale):
        return declared
    wrong = ValueError(f"thermal values must be {_EXPECTED}; found {declared!r}")
    if isinstance(declared, str):
        if declared in SCALE_NAMES:
            return Scale(declared)
        name, *numbers = declared.split(":")
        counts = dict(zip(("per_kelvin", "offset"), numbers, strict=False)) if len(numbers) in (1, 2) else None
    else:
        name, counts = (
            "counts",
            declared.get("counts") if isinstance(declared, Mapping) and len(declared) == 1 else None,
        )
    if (
        name != "counts"
        or not isinstance(counts, Mapping)
        or not {"per_kelvin"} <= set(counts) <= {"per_kelvin", "offset"}
    ):
        raise wrong
    try:
        scale = Scale("counts", *(float(counts.get(key, 0.0)) for key in ("per_kelvin", "offset")))
    except (TypeError, ValueError) as error:
        raise wrong from error
    if not (np.isfinite(scale.offset) and 0 < scale.per_kelvin < np.inf):
        raise wrong
    return scale


def check_plausible(
    images: Iterable[tuple[str, np.ndarray]],
    scale: Scale,
    where: str = "",
    people: bool = True,
    remedy: str = _DECLARE,
) -> None:
    """Refuse images that cannot show people if the scale is the declared one.

    Each must be a picture that people may be in, and all of them together (by the median) one that shows some.

    Args:
        images: name and numbers as stored, any shape, of a few images spread over a set, or of a single one.
        scale: what they are declared to be; nothing is known of ``relative`` ones.
        where: the set, for messages.
        people: whether somebody is in them; False for frames that may be empty.
        remedy: what to do if another scale fits, with a place for its name.

    Raises:
        ScaleError: the first image that is implausible, or the whole set; with what was found and likely scales.
    """
    if scale.meaning == "relative":
        return
    all_quantiles: list[tuple[float, float, float]] = []
    sample = np.empty(0)
    for name, raw in images:
        place = ": ".join(part for part in (where, name) if part)
        try:
            quantiles = _quantiles(scale.convert(_thin(raw)))
        except ScaleError as error:
            raise ScaleError(f"{place}: {error}") from error
        if quantiles is None:
            raise ScaleError(f"{place}: as {scale}, none of its pixels has a temperature{_hint(raw, remedy)}")
        if not all(low <= found <= high for found, (low, high) in zip(quantiles, _BELIEVABLE, strict=True)):
            raise ScaleError(f"{place}: {_describe(scale, quantiles)}{_hint(raw, remedy)}")
        if _fills_unit_range(raw):
            found = "floats from 0 to 1, which are no temperatures"
            raise ScaleError(f"{place}: declared {scale}, but it holds {found}{_hint(raw, remedy)}")
        sample = sample if all_quantiles else raw
        all_quantiles.append(quantiles)
    if not people or not all_quantiles:
        return
    low, _, high = median = np.median(all_quantiles, axis=0)
    if high < _WARMEST_OF_PEOPLE or 0 < high - low < _LEAST_SPAN:
        raise ScaleError(f"{where or 'the images'}: {_describe(scale, median)}{_hint(sample, remedy)}")


def likely_scales(raw: np.ndarray) -> list[Scale]:
    """The known scales under which numbers are a room with somebody in it, or grey values; the likeliest first.

    Args:
        raw: numbers as stored, any shape.
    """
    raw = np.asarray(raw)
    is_stretched = raw.dtype.kind == "u" and raw.size and np.ptp(raw) >= _STRETCHED_SHARE * np.iinfo(raw.dtype).max
    raw = _thin(raw)
    if raw.dtype.kind not in "uif" or not raw.size or (stored := _quantiles(raw.astype(np.float64))) is None:
        return []
    known = (*map(Scale, SCALE_NAMES[:3]), *(Scale("counts", *counts) for counts in _KNOWN_COUNTS))
    read = [(scale, _quantiles(scale.convert(raw))) for scale in known if scale.takes(raw.dtype)]
    likely: list[Scale] = []
    for least_warmest, least_span in _LIKELY_WARMEST_AND_SPAN:
        likely = likely or [
            scale
            for scale, quantiles in sorted(read, key=lambda entry: abs(entry[1][2] - _SKIN) if entry[1] else 0.0)
            if quantiles
            and _LIKELY_MIDDLE[0] <= quantiles[1] <= _LIKELY_MIDDLE[1]
            and least_warmest <= quantiles[2] <= _LIKELY_HIGHEST
            and quantiles[2] - quantiles[0] >= least_span
        ]
    is_small = raw.dtype.itemsize == 1 or (raw.dtype.kind == "f" and stored[0] >= 0 and stored[2] <= 1)
    if is_small or is_stretched:
        likely.insert(0, Scale("relative"))
    return likely


def spread_evenly(items: Sequence, most: int = 32) -> list:
    """At most so many of a sequence's items, its first and last among them."""
    return [items[place] for place in np.unique(np.linspace(0, len(items) - 1, min(most, len(items))).astype(int))]


def _fills_unit_range(raw: np.ndarray) -> bool:
    if raw.dtype.kind != "f":
        return False
    low, high = np.nanmin(raw), np.nanmax(raw)
    return low >= 0 and high <= 1 and high - low >= _UNIT_SHARE


def _thin(raw: np.ndarray) -> np.ndarray:
    """Enough of an image's numbers, spread over it: an odd step does not stay in a few columns."""
    raw = np.ravel(raw)
    return raw[:: len(raw) // _MOST_PIXELS | 1]


def _quantiles(values: np.ndarray) -> tuple[float, float, float] | None:
    """The 1st, 50th and 99th percentile of what is finite; None where nothing is."""
    values = values[np.isfinite(values)]
    return tuple(np.percentile(values, (1, 50, 99)).tolist()) if len(values) else None


def _describe(scale: Scale, quantiles: Sequence[float]) -> str:
    low, middle, high = quantiles
    found = f"{low:.1f} to {high:.1f} °C, half of it above {middle:.1f} °C"
    return f"as {scale} it holds {found}, which is no picture of people"


def _hint(raw: np.ndarray, remedy: str = _DECLARE) -> str:
    likely = likely_scales(raw)
    if not likely:
        own = ": declare counts with the camera's own per_kelvin and offset, or relative" if remedy == _DECLARE else ""
        return f"; no known scale fits{own}"
    return "; looks like " + ", or ".join(
        f"{_TITLES.get(scale.name) or _KNOWN_COUNTS[scale.per_kelvin, scale.offset]}: {remedy.format(scale)}"
        for scale in likely
    )
