"""What a dataset holds, in a few lines: for who looks at it at a prompt or in a notebook. No image is read."""

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tfake.reader.dataset_store import FACES
from tfake.reader.presence import ImageStatus
from tfake.reader.splits import SPLIT_FRACTIONS, split_parts

if TYPE_CHECKING:
    from tfake.reader.dataset import FaceDataset

#: Rows up to which the parts of the split are counted: that compares all faces with one another.
_COUNTED = 10_000


def summarise(dataset: "FaceDataset") -> list[tuple[str, str]]:
    """Name and value of each fact: rows, their parts in the split, each variant, fields, terms."""
    return [
        ("rows", f"{len(dataset)} of {len(dataset.columns.status)} in {dataset.address}"),
        ("split", _parts(dataset)),
        *((f"variant {name}", _variant(dataset, name)) for name in dataset.variants),
        *([("not read", f"{', '.join(others)}: open them by name")] if (others := _others(dataset)) else []),
        ("fields", ", ".join(dataset.fields)),
        ("terms", "; ".join(_terms(dataset)) or "not stated"),
    ]


def as_text(dataset: "FaceDataset") -> str:
    """The facts under one another."""
    facts = summarise(dataset)
    width = max(len(name) for name, _ in facts)
    return "\n".join([type(dataset).__name__, *(f"  {name:{width}}  {value}" for name, value in facts)])


def as_html(dataset: "FaceDataset") -> str:
    """The facts as a table, for notebooks."""
    rows = "".join(
        f"<tr style='text-align:left'><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in summarise(dataset)
    )
    return f"<table><caption>{type(dataset).__name__}</caption>{rows}</table>"


def _parts(dataset: "FaceDataset") -> str:
    columns = dataset.columns
    if "groups" not in vars(columns) and len(columns.status) > _COUNTED:
        return f"{', '.join(SPLIT_FRACTIONS)}: counted when asked for, by split(...)"
    parts = split_parts(columns.image_id, columns.groups, SPLIT_FRACTIONS, seed=0)[dataset.rows]
    return ", ".join(f"{name} {np.count_nonzero(parts == number)}" for number, name in enumerate(SPLIT_FRACTIONS))


def _variant(dataset: "FaceDataset", name: str) -> str:
    array = dataset.metadata(name)
    unit = "°C" if array.dtype == np.uint16 else "grey values, no temperatures"
    codes = dataset.columns.images[name][dataset.rows]
    counts = ((status.name.lower(), np.count_nonzero(codes == status)) for status in ImageStatus)
    without = [f"{count} {status}" for status, count in counts if count and status != "ok"]
    height, width = array.shape[1:]
    found = f"{width}x{height} pixels, {unit}, {np.count_nonzero(codes == ImageStatus.OK)} images"
    return ", ".join([found, *without])


def _others(dataset: "FaceDataset") -> list[str]:
    return [name for name in dataset.all_variants() if name not in dataset.variants]


def _terms(dataset: "FaceDataset") -> Iterator[str]:
    """The terms of the labels and of each variant, once where they are the same."""
    stores = {"labels": FACES, **{name: f"variants/{name}/thermal.zarr" for name in dataset.variants}}
    under: dict[str, list[str]] = {}
    for name, store in stores.items():
        if terms := dataset.attributes(store).get("license"):
            under.setdefault(terms, []).append(name)
    for terms, names in under.items():
        yield terms if len(under) == 1 else f"{terms} ({', '.join(names)})"
