"""How two datasets differ: in settings, checksums, attributes and statistics, and on demand in pixels; as Markdown.

All but the pixels comes from small files. Images are found by their ids, so that the datasets need not have the same
rows. Every difference is (what, in the first, in the second).
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tfake.core.codes import decode_ids
from tfake.core.radiometry import decode_counts
from tfake.pages.wording import markdown_table
from tfake.store.arrays import open_store
from tfake.store.manifest import read_sums


@dataclass(frozen=True)
class SealedFolder:
    """One store with what was sealed beside it."""

    path: Path  # the store
    sums: dict[str, str]  # file to SHA-256
    summary: dict[str, Any]  # what sealing counted: rows, bytes, counts by status, statistics by class
    attributes: dict[str, Any]  # of the store's root
    units: str | None  # of the array ``thermal``; None where there is none


@dataclass(frozen=True)
class Dataset:
    """A folder of results, or a published one."""

    folder: Path  # as it was named
    config: Mapping[str, Any] | None  # the effective configuration; None where it was not saved
    stores: dict[str, SealedFolder]  # ``faces`` and ``variants/NAME``, those that are sealed


def read_dataset(folder: str | Path) -> Dataset:
    """Read a dataset's small files.

    Args:
        folder: a folder with ``faces`` or ``variants`` in it, or one whose ``results`` has them.

    Raises:
        FileNotFoundError: no sealed store is in it.
    """
    folder = Path(folder)
    root = next((place for place in (folder, folder / "results") if _sealed(place)), None)
    if root is None:
        raise FileNotFoundError(
            f"{folder}: no sealed store: expected SHA256SUMS in faces/ or variants/NAME/, here or in results/"
        )
    config = root / "config.yaml"
    return Dataset(
        folder=folder,
        config=yaml.safe_load(config.read_text()) if config.exists() else None,
        stores={str(place.relative_to(root)): _read_store(place) for place in _sealed(root)},
    )


def _sealed(root: Path) -> list[Path]:
    places = [root / "faces", *sorted((root / "variants").glob("*/"))]
    return [place for place in places if (place / "SHA256SUMS").is_file()]


def _read_store(folder: Path) -> SealedFolder:
    sums = read_sums(folder / "SHA256SUMS")
    store = folder / next(iter(sums)).split("/")[0]
    summary = folder / "summary.json"
    return SealedFolder(
        path=store,
        sums=sums,
        summary=json.loads(summary.read_text()) if summary.exists() else {},
        attributes=_attributes(store / "zarr.json"),
        units=_attributes(store / "thermal/zarr.json").get("units"),
    )


def _attributes(metadata: Path) -> dict[str, Any]:
    return json.loads(metadata.read_text()).get("attributes", {}) if metadata.exists() else {}


@dataclass(frozen=True)
class PixelDifference:
    """A variant's images in two datasets: second minus first, in K or grey values."""

    variant: str  # ``variants/NAME``
    images: int = 0  # how many were compared
    equal: int = 0  # how many of them are equal in every pixel
    bias: float = 0.0
    mean_absolute: float = 0.0
    largest: float = 0.0  # absolute difference
    reason: str = ""  # why nothing was compared; empty otherwise


def compare_pixels(first: Dataset, second: Dataset, images: int) -> tuple[PixelDifference, ...]:
    """Compare the variants that both have, over so many of the images that both have.

    Raises:
        FileNotFoundError: a dataset has no faces store, which names the rows.
    """
    rows = _shared_rows(first, second, images)
    shared = [name for name in first.stores if name.startswith("variants/") and name in second.stores]
    return tuple(_compare(name, first.stores[name].path, second.stores[name].path, rows) for name in shared)


def _shared_rows(first: Dataset, second: Dataset, images: int) -> list[tuple[int, int]]:
    places: list[Mapping[str, int]] = []
    for dataset in (first, second):
        if "faces" not in dataset.stores:
            raise FileNotFoundError(f"{dataset.folder}: no sealed faces store; pixels are compared by its ids")
        ids = decode_ids(open_store(dataset.stores["faces"].path)["image_id"][:])
        places.append({image_id: row for row, image_id in enumerate(ids)})
    shared = [(row, places[1][image_id]) for image_id, row in places[0].items() if image_id in places[1]]
    chosen = np.unique(np.rint(np.linspace(0, len(shared) - 1, min(images, len(shared)))).astype(int))
    return [shared[place] for place in chosen]


def _compare(variant: str, first: Path, second: Path, rows: Sequence[tuple[int, int]]) -> PixelDifference:
    arrays = [open_store(path)["thermal"] for path in (first, second)]
    kinds = [f"{array.shape[2]}x{array.shape[1]} {array.dtype}" for array in arrays]
    if kinds[0] != kinds[1]:
        return PixelDifference(variant, reason=f"{kinds[0]} against {kinds[1]}")
    radiometric = arrays[0].dtype == np.uint16
    total = absolute = largest = 0.0
    pixels = equal = 0
    for places in rows:
        images = [array[row] for array, row in zip(arrays, places, strict=True)]
        equal += np.array_equal(*images)
        values = [decode_counts(image) if radiometric else image.astype(np.float32) for image in images]
        difference = (values[1] - values[0]).astype(np.float64)
        difference = difference[np.isfinite(difference)]
        pixels += difference.size
        total += difference.sum()
        absolute += np.abs(difference).sum()
        largest = max(largest, np.abs(difference).max(initial=0.0))
    scale = max(pixels, 1)
    return PixelDifference(variant, len(rows), equal, total / scale, absolute / scale, largest)


#: Stands where one side has nothing.
ABSENT = "-"


@dataclass(frozen=True)
class ClassDifference:
    """One class's temperatures, or grey values, in the first and in the second."""

    name: str
    pixels: tuple[int, int]
    mean: tuple[float | None, float | None]  # None where the class does not occur
    sd: tuple[float | None, float | None]


@dataclass(frozen=True)
class StoreDifference:
    """One store that both have; what differs is (what, in the first, in the second)."""

    name: str  # ``faces`` or ``variants/NAME``
    files: int  # that both have
    changed: dict[str, int]  # array to how many of its files differ; the root's metadata are the array ``zarr.json``
    only_first: int  # files
    only_second: int
    attributes: tuple[tuple[str, Any, Any], ...]
    summary: tuple[tuple[str, Any, Any], ...]  # rows, bytes and counts
    classes: tuple[ClassDifference, ...]  # empty where the statistics are the same
    units: str  # of the statistics

    @property
    def identical(self) -> bool:
        """Whether the two stores have the same bytes."""
        return not (self.changed or self.only_first or self.only_second)


@dataclass(frozen=True)
class Comparison:
    """Two datasets."""

    folders: tuple[str, str]  # as they were named
    config: tuple[tuple[str, Any, Any], ...] | None  # settings that differ; None where one of them was not saved
    only_first: tuple[str, ...]  # stores
    only_second: tuple[str, ...]
    stores: tuple[StoreDifference, ...]  # that both have

    @property
    def identical(self) -> bool:
        """Whether both hold the same stores with the same bytes; settings may differ."""
        return not (self.only_first or self.only_second) and all(store.identical for store in self.stores)


def compare_datasets(first: Dataset, second: Dataset) -> Comparison:
    """Compare what two datasets' small files say."""
    settings = (first.config, second.config)
    return Comparison(
        folders=(str(first.folder), str(second.folder)),
        config=None if None in settings else differing(*settings),
        only_first=tuple(name for name in first.stores if name not in second.stores),
        only_second=tuple(name for name in second.stores if name not in first.stores),
        stores=tuple(
            _compare_stores(name, store, second.stores[name])
            for name, store in first.stores.items()
            if name in second.stores
        ),
    )


def differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    """The keys of two nested mappings whose values differ, dotted, in order; lists are values."""
    flat = [dict(_flatten(mapping)) for mapping in (first, second)]
    keys = sorted(flat[0].keys() | flat[1].keys())
    rows = ((key, *(side.get(key, ABSENT) for side in flat)) for key in keys)
    return tuple((key, a, b) for key, a, b in rows if a != b)


def _flatten(mapping: Mapping[str, Any], prefix: str = ""):
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _compare_stores(name: str, first: SealedFolder, second: SealedFolder) -> StoreDifference:
    shared = first.sums.keys() & second.sums.keys()
    changed: dict[str, int] = {}
    for file in sorted(shared):
        if first.sums[file] != second.sums[file]:
            array = file.split("/")[1]
            changed[array] = changed.get(array, 0) + 1
    counted = [
        {"rows": side.get("rows", ABSENT), "bytes": side.get("bytes", ABSENT), "counts": side.get("counts", {})}
        for side in (first.summary, second.summary)
    ]
    statistics = [side.summary.get("statistics", {}) for side in (first, second)]
    units = {store.units for store in (first, second)}
    return StoreDifference(
        name=name,
        files=len(shared),
        changed=changed,
        only_first=len(first.sums.keys() - shared),
        only_second=len(second.sums.keys() - shared),
        attributes=differing(first.attributes, second.attributes),
        summary=differing(*counted),
        classes=() if statistics[0] == statistics[1] else _compare_classes(*statistics),
        units="°C" if units == {"degree_Celsius"} else "grey value" if units == {"1"} else "not the same unit",
    )


def _compare_classes(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[ClassDifference, ...]:
    names = [*first, *(name for name in second if name not in first)]

    def both(name: str, key: str, missing):
        return tuple(side[name][key] if name in side else missing for side in (first, second))

    return tuple(
        ClassDifference(name, both(name, "pixels", 0), both(name, "mean", None), both(name, "sd", None))
        for name in names
    )


_SHA256 = re.compile("[0-9a-f]{64}")


def write_text(comparison: Comparison, pixels: Sequence[PixelDifference] = ()) -> str:
    """A comparison as Markdown, with a section on pixels where they were compared."""
    first, second = comparison.folders
    lines = [f"# {first} and {second}", ""]
    lines += ["The stores are the same, byte for byte." if comparison.identical else "The stores differ.", ""]
    lines += [f"Only in {first}: {name}" for name in comparison.only_first]
    lines += [f"Only in {second}: {name}" for name in comparison.only_second]
    lines += ["", "## Settings", ""]
    if comparison.config is None:
        lines += ["Not saved with both (config.yaml)."]
    else:
        lines += _table(("key", first, second), comparison.config) or ["The same."]
    for store in comparison.stores:
        lines += ["", f"## {store.name}", "", *_store(store, first, second)]
    if pixels:
        header = ("variant", "images", "equal", "bias", "mean absolute", "largest", "")
        rows = (
            (p.variant, p.images, p.equal, f"{p.bias:+.4f}", f"{p.mean_absolute:.4f}", f"{p.largest:.2f}", p.reason)
            for p in pixels
        )
        lines += ["", "## Pixels, second minus first", "", *_table(header, rows)]
    return "\n".join(line for line, after in zip(lines, [*lines[1:], "x"], strict=True) if line or after) + "\n"


def _store(store: StoreDifference, first: str, second: str) -> list[str]:
    if store.identical:
        return [f"The same: {store.files} files."]
    changed = ", ".join(f"{count} of {array}" for array, count in store.changed.items())
    lines = [f"{sum(store.changed.values())} of {store.files} files differ{': ' + changed if changed else ''}."]
    lines += [
        f"{count} more files in {folder}."
        for count, folder in ((store.only_first, first), (store.only_second, second))
        if count
    ]
    lines += ["", *_table(("attribute or count", first, second), (*store.attributes, *store.summary))]
    rows = [
        (
            entry.name,
            *entry.pixels,
            *(_number(value) for value in entry.mean),
            _number(None if None in entry.mean else entry.mean[1] - entry.mean[0], "+.2f"),
            *(_number(value) for value in entry.sd),
        )
        for entry in store.classes
    ]
    header = (f"class ({store.units})", "pixels", "pixels", "mean", "mean", "difference", "sd", "sd")
    return [*lines, "", *_table(header, rows)]


def _number(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else format(value, form)


def _table(header: Sequence[str], rows: Iterable[Sequence]) -> list[str]:
    """A Markdown table, of a SHA-256 its beginning; nothing without a row."""
    cells = [[cell[:12] if isinstance(cell, str) and _SHA256.fullmatch(cell) else cell for cell in row] for row in rows]
    return markdown_table(header, cells) if cells else []
