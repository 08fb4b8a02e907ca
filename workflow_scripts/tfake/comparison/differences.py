"""How two datasets differ. Every difference is (what, in the first, in the second)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfake.comparison.datasets import Dataset, SealedFolder

#: Stands where one side has nothing.
ABSENT = "-"


@dataclass(frozen=True)
class ClassDifference:
    """One class's temperatures, or grey values, in both.

    Attributes:
        name: of the class.
        pixels: in the first and in the second; 0 where it does not occur.
        mean: likewise; None where it does not occur.
        sd: likewise.
    """

    name: str
    pixels: tuple[int, int]
    mean: tuple[float | None, float | None]
    sd: tuple[float | None, float | None]


@dataclass(frozen=True)
class StoreDifference:
    """One store that both have.

    Attributes:
        name: ``faces`` or ``variants/NAME``.
        files: how many files both have.
        changed: array to how many of its files differ; the root's metadata are the array ``zarr.json``.
        only_first: files that only the first has.
        only_second: likewise.
        attributes: attributes that differ.
        summary: rows, bytes and counts that differ.
        classes: statistics by class; empty where they are the same.
        units: of the statistics.
    """

    name: str
    files: int
    changed: dict[str, int]
    only_first: int
    only_second: int
    attributes: tuple[tuple[str, Any, Any], ...]
    summary: tuple[tuple[str, Any, Any], ...]
    classes: tuple[ClassDifference, ...]
    units: str

    @property
    def identical(self) -> bool:
        """Whether the two stores have the same bytes."""
        return not (self.changed or self.only_first or self.only_second)


@dataclass(frozen=True)
class Comparison:
    """Two datasets.

    Attributes:
        folders: the two as they were named.
        config: settings that differ; None where one of them was not saved.
        only_first: stores that only the first has.
        only_second: likewise.
        stores: those that both have.
    """

    folders: tuple[str, str]
    config: tuple[tuple[str, Any, Any], ...] | None
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    stores: tuple[StoreDifference, ...]

    @property
    def identical(self) -> bool:
        """Whether both hold the same stores with the same bytes; settings may differ."""
        return not (self.only_first or self.only_second) and all(store.identical for store in self.stores)


def compare_datasets(first: Dataset, second: Dataset) -> Comparison:
    """Lay two datasets side by side."""
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
    """The keys of two nested mappings whose values differ, dotted, in order.

    Args:
        first: a mapping; lists are values, mappings are looked into.
        second: likewise.
    """
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
