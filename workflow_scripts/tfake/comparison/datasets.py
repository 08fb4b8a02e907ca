"""What a dataset says of itself in small files: settings, checksums, attributes, statistics. No pixel is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tfake.store.checksums import read_sums


@dataclass(frozen=True)
class SealedFolder:
    """One store with what was sealed beside it.

    Attributes:
        path: the store.
        sums: file to SHA-256.
        summary: what sealing counted: rows, bytes, counts by status, statistics by class.
        attributes: of the store's root.
        units: unit of the array ``thermal``; None where there is none.
    """

    path: Path
    sums: dict[str, str]
    summary: dict[str, Any]
    attributes: dict[str, Any]
    units: str | None


@dataclass(frozen=True)
class Dataset:
    """A folder of results, or a published one.

    Attributes:
        folder: as it was named.
        config: the effective configuration; None where it was not saved.
        stores: ``faces`` and ``variants/NAME``, those that are sealed.
    """

    folder: Path
    config: Mapping[str, Any] | None
    stores: dict[str, SealedFolder]


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
