"""Closing a store: its index and its ``SHA256SUMS`` are made from the shards' manifests and the metadata files."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfake.store.arrays import open_store
from tfake.store.manifest import COMPUTED_ON, Manifest, file_sha256, read_manifest, write_sums
from tfake.store.repair import forget_shards
from tfake.store.shards import StoreError
from tfake.store.statistics import merge_statistics


def seal_store(
    sums: str | Path, summary: str | Path, store: str | Path, manifests: Sequence[str | Path], stop: int, start: int = 0
) -> None:
    """Write a store's checksum list and its summary; shards of a larger slice that was made before are removed.

    Args:
        sums: the ``SHA256SUMS`` to write, in the folder that holds the store.
        summary: the JSON summary to write: rows, shards, bytes, counts by status, statistics by class, what computed
            which shards, and the metadata files' text.
        store: the store's folder.
        manifests: every shard's manifest, in any order.
        stop: end (exclusive) of the rows that were made: the length of axis 0, or the end of a slice.
        start: the first row that was made.

    Raises:
        StoreError: the shards do not cover the rows exactly once, or were made from different inputs, or from others
            than the store's attributes say.
    """
    shards = sorted((read_manifest(path) for path in manifests), key=lambda shard: shard.start)
    _check_cover(shards, start, stop, store)
    _check_origin(shards, store)
    _check_attributes(shards[0], store)
    for path in _remove_others(shards, Path(store), manifests):
        logging.info("%s lies outside the rows %d..%d and was removed", path, start, stop - 1)
    folder = Path(sums).parent
    metadata = {str(path.relative_to(folder)): path.read_text() for path in sorted(Path(store).rglob("zarr.json"))}
    sums_of_metadata = {name: file_sha256(folder / name) for name in metadata}
    data = {file.path: file.sha256 for shard in shards for file in shard.files}
    write_sums(sums, {**sums_of_metadata, **data})
    content: dict[str, Any] = {
        "store": Path(store).name,
        # A few KB, from which `repair_stores` brings damaged metadata back.
        "metadata": metadata,
        "rows": stop - start,
        "made_from": _origin(shards[0]),
        COMPUTED_ON: _describe_computing(shards, store),
        "shards": [{"shard": shard.shard, "rows": [shard.start, shard.stop]} for shard in shards],
        "bytes": sum(file.bytes for shard in shards for file in shard.files),
        "counts": dict(sum((Counter(shard.counts) for shard in shards), Counter())),
        "statistics": merge_statistics([shard.statistics for shard in shards]),
    }
    Path(summary).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    forget_shards(folder)


def _check_cover(shards: Sequence[Manifest], start: int, stop: int, store: str | Path) -> None:
    reached = start
    for shard in shards:
        if shard.start != reached:
            raise StoreError(f"{store}: row {reached} follows, but shard {shard.shard} begins at row {shard.start}")
        reached = shard.stop
    if reached != stop:
        raise StoreError(f"{store}: the shards end at row {reached}, the store has {stop} rows")


def _check_origin(shards: Sequence[Manifest], store: str | Path) -> None:
    first = shards[0]
    for shard in shards[1:]:
        if _origin(shard) != _origin(first):
            raise StoreError(
                f"{store}: shards {first.shard} and {shard.shard} were made from different inputs: "
                f"{_origin(first)} and {_origin(shard)}; delete one and run again"
            )


def _origin(shard: Manifest) -> dict[str, Any]:
    return {key: value for key, value in shard.made_from.items() if key != COMPUTED_ON}


def _describe_computing(shards: Sequence[Manifest], store: str | Path) -> list[dict[str, Any]]:
    """What computed the shards, each with the numbers of its shards; none where nothing says so."""
    found: list[dict[str, Any]] = []
    for shard in shards:
        computed_on = shard.made_from.get(COMPUTED_ON)
        if computed_on is None:
            continue
        known = next((entry for entry in found if entry.items() >= computed_on.items()), None)
        if known is None:
            found.append(known := {**computed_on, "shards": []})
        known["shards"].append(shard.shard)
    formats = sorted({entry["precision"] for entry in found})
    if len(formats) > 1:
        logging.warning(
            "%s: its shards were computed in %s, on different machines; single pixels may differ by some tenths of a "
            "kelvin. inference_precision: float32 makes all alike",
            *(store, " and ".join(formats)),
        )
    return found


def _check_attributes(shard: Manifest, store: str | Path) -> None:
    attributes = open_store(store).attrs.asdict()
    for key, made_from in shard.made_from.items():
        if key in attributes and attributes[key] != made_from:
            raise StoreError(
                f"{store}: its attributes say {key} {attributes[key]!r}, its shards were made from {made_from!r}"
            )


def _remove_others(shards: Sequence[Manifest], store: Path, manifests: Sequence[str | Path]) -> Iterator[Path]:
    """Remove what an earlier, larger slice left in a store, and among the manifests beside it; yields each file."""
    numbers = {shard.shard for shard in shards}
    kept = {Path(path).resolve() for path in manifests}
    folders = {path.parent for path in kept if path.parent.name == "manifests"}
    others = [path for folder in folders for path in sorted(folder.glob("*.json")) if path not in kept]
    for place in sorted(store.glob("*/c/*")):
        if place.name.isdigit() and int(place.name) not in numbers:
            others += [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    for path in others:
        path.unlink()
        yield path
