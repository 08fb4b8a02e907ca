"""A dataset of thermal faces: rows of the stores, chosen by what they are, read one by one or many at once."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import MeshStatus, SampleStatus
from tfake.core.extras import needs_extra
from tfake.core.radiometry import decode_counts
from tfake.reader.columns import Columns, read_columns
from tfake.reader.dataset_store import (
    DatasetError,
    DatasetStore,
    LabelSource,
    find_variants,
    label_source,
    list_variants,
)
from tfake.reader.face import FIELDS, ON_DEMAND, ThermalFace
from tfake.reader.presence import ImageStatus
from tfake.reader.rgb import RgbRows, find_rgb
from tfake.reader.sequences import SequenceDataset, open_sequences
from tfake.reader.splits import SPLIT_FRACTIONS, split_parts
from tfake.reader.summary import as_html, as_text
from tfake.store.shards import ArrayMetadata

if TYPE_CHECKING:
    import zarr

#: Which rows :func:`open_dataset` takes.
ROWS = ("common", "all")


class FaceDataset:
    """Rows of a dataset, as :func:`open_dataset` opens it; choosing rows gives another of the same kind.

    It may be sent to other processes, or used in forked ones: each opens the files anew.

    Attributes:
        variants: the variants that are read.
        rows: (n,) int, the stores' rows that are in it, in order.
        columns: what is known of every row of the stores (:class:`tfake.reader.columns.Columns`).
    """

    def __init__(
        self,
        store: DatasetStore,
        variants: tuple[str, ...],
        labels: LabelSource,
        columns: Columns,
        rows: np.ndarray,
        fields: tuple[str, ...],
        crop: Callable[[ThermalFace], ThermalFace] | None,
        rgb: RgbRows | None = None,
    ):
        """Put a dataset together; use :func:`open_dataset`."""
        self.variants = variants
        self.rows = rows
        self.columns = columns
        self._store = store
        self._labels = labels
        self._fields = fields
        self._crop = crop
        self._rgb = rgb

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)

    def __repr__(self) -> str:
        """Rows, parts of the split, variants with their units, fields and terms."""
        return as_text(self)

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        return as_html(self)

    @property
    def address(self) -> str:
        """The folder, zip or URL that it lies in."""
        return self._store.address

    @property
    def fields(self) -> tuple[str, ...]:
        """What is read of each row."""
        return self._fields

    def array(self, variant: str) -> "zarr.Array":
        """A variant's images as they are stored: (N, H, W) uint16 counts of 0.01 K, or uint8 grey values."""
        return self._store.array(_thermal_path(variant))

    def metadata(self, variant: str) -> ArrayMetadata:
        """Shape, type and attributes of a variant's images."""
        return self._store.metadata(_thermal_path(variant))

    def all_variants(self) -> tuple[str, ...]:
        """Every variant that is there, read or not; none where its address cannot be listed."""
        return list_variants(self._store)

    def attributes(self, store: str) -> dict[str, Any]:
        """The attributes of a store, such as ``variants/warm/thermal.zarr``: its terms, its origin."""
        return self._store.attributes(store)

    def __iter__(self) -> Iterator[ThermalFace]:
        """The faces in order, one at a time."""
        return (self[index] for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> ThermalFace: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> "ThermalFace | FaceDataset":
        """One face by its index, counted from the end where it is negative, or a slice as a smaller dataset.

        Raises:
            IndexError: there is no such face.
        """
        if isinstance(index, slice):
            return self._with_rows(self.rows[index])
        return self.batch([index])[0]

    def batch(self, indices: Sequence[int]) -> list[ThermalFace]:
        """Several faces, in the order asked for; each shard's rows are read in one go.

        Args:
            indices: of faces in this dataset, in any order.

        Returns:
            As many faces.

        Raises:
            IndexError: there is no such face.
        """
        rows = self.rows[np.asarray(indices, dtype=np.intp)]
        values = {name: self._store.rows(path, rows) for name, path in self._paths().items()}
        if self._rgb is not None:
            values["rgb"] = self._rgb(rows)
        faces = [
            self._face(int(row), {name: value[number] for name, value in values.items()})
            for number, row in enumerate(rows)
        ]
        return faces if self._crop is None else [self._crop(face) for face in faces]

    def read(self, field: str, indices: Sequence[int] | None = None, variant: str | None = None) -> np.ndarray:
        """One field of some faces, and nothing else of them.

        Args:
            field: any of :data:`tfake.reader.face.FIELDS`, as the stores hold it: ``landmarks_478`` is (n, 478, 3).
            indices: of faces in this dataset, in any order; None: all.
            variant: whose ``thermal``; None for other fields.

        Returns:
            (n, ...): °C or gray values of ``thermal``, ids, points, states.

        Raises:
            IndexError: there is no such face.
            KeyError: there is no such array, or no variant is named.
        """
        rows = self.rows if indices is None else self.rows[np.asarray(indices, dtype=np.intp)]
        if field == "thermal":
            if variant is None:
                raise KeyError("of thermal one variant is read: name it")
            return _decode(self._store.rows(_thermal_path(variant), rows))
        return self._store.rows(self._labels.path(field), rows)

    def where(self, **conditions) -> Self:
        """The rows that meet every condition.

        Args:
            **conditions: ``statuses``, names of source statuses; ``label_statuses``, names of dense-label statuses
                (``ok``, ``retried`` and ``fitted`` have points); ``images``, names of variants that have an image of
                the face; ``largest_error``, of the mesh as found, a fraction of the face's size; ``yaw``, ``pitch``,
                ``roll``: lowest and highest in degrees.

        Raises:
            DatasetError: a status or a variant of this name does not exist.
        """
        return self._with_rows(self.rows[self.columns.where(**conditions)[self.rows]])

    def split(self, name: str, fractions: Mapping[str, float] = SPLIT_FRACTIONS, seed: int = 0) -> Self:
        """The rows of one part of a split that keeps near-duplicates together.

        A face's part follows from the seed and the first id among its near-duplicates
        (:mod:`tfake.reader.splits`), so that neither filters nor the order nor further images move it.

        Args:
            name: ``train``, ``validation`` or ``test``, or a name in ``fractions``.
            fractions: name to fraction of the faces, adding up to 1; parts of small datasets deviate from it.
            seed: another seed, another split.

        Raises:
            DatasetError: there is no part of this name, or the fractions do not add up to 1.
        """
        if name not in fractions:
            raise DatasetError(f"{name!r} is no part of the split; they are {', '.join(fractions)}")
        parts = split_parts(self.columns.image_id, self.columns.groups, fractions, seed)
        return self._with_rows(self.rows[parts[self.rows] == list(fractions).index(name)])

    def sequences(self) -> SequenceDataset:
        """The sequences of procedural people that were made beside the faces (:mod:`tfake.reader.sequences`).

        Raises:
            DatasetError: there are none.
        """
        return open_sequences(self.address)

    def torch(self) -> Any:
        """The dataset for torch's ``DataLoader``: a :class:`tfake.reader.torch_faces.TorchFaces`.

        Raises:
            ModuleNotFoundError: torch is not installed.
        """
        # By name, for what publishes datasets imports this module and has no torch.
        with needs_extra("torch", "a dataset for torch"):
            return importlib.import_module("tfake.reader.torch_faces").TorchFaces(self)

    def _with_rows(self, rows: np.ndarray) -> Self:
        return type(self)(
            self._store, self.variants, self._labels, self.columns, rows, self._fields, self._crop, self._rgb
        )

    def _paths(self) -> dict[str, str]:
        paths = {field: self._labels.path(field) for field in self._fields if field not in ("thermal", "rgb")}
        if "thermal" in self._fields:
            paths |= {f"thermal/{name}": _thermal_path(name) for name in self.variants}
        return paths

    def _face(self, row: int, values: dict[str, Any]) -> ThermalFace:
        face = ThermalFace(
            image_id=str(self.columns.image_id[row]),
            row=row,
            status=SampleStatus(self.columns.status[row]),
            landmarks_478_status=MeshStatus(self.columns.landmarks_478_status[row]),
            landmarks_478_error=float(self.columns.landmarks_478_error[row]),
            head_pose=self.columns.head_pose[row],
            thermal={
                name: _decode(values.pop(f"thermal/{name}")) for name in self.variants if f"thermal/{name}" in values
            },
            thermal_status={name: ImageStatus(statuses[row]) for name, statuses in self.columns.images.items()},
        )
        if self._labels.variant and face.thermal_status[self._labels.variant] is ImageStatus.NOT_MADE:
            values |= {name: _missing(values[name]) for name in self._labels.own & values.keys()}
        if (dense := values.pop("landmarks_478", None)) is not None:
            values |= {"landmarks_478": dense[:, :2].copy(), "landmarks_478_depth": dense[:, 2].copy()}
        return replace(face, **values)


def _missing(values: np.ndarray) -> np.ndarray:
    """What a label is where there is none; arrays that were not written hold values of their own."""
    return np.full_like(values, np.nan if values.dtype.kind == "f" else FaceClass.IGNORE)


def _thermal_path(variant: str) -> str:
    return f"variants/{variant}/thermal.zarr/thermal"


def _decode(pixels: np.ndarray) -> np.ndarray:
    # A camera with automatic gain control stores grey values, which are no temperatures.
    return decode_counts(pixels) if pixels.dtype == np.uint16 else pixels


def open_dataset(
    address: str | os.PathLike,
    variants: Sequence[str] | None = None,
    split: str | None = None,
    statuses: Sequence[str] | None = ("ok",),
    fields: Sequence[str] = FIELDS,
    crop: Callable[[ThermalFace], ThermalFace] | None = None,
    rows: str = "common",
    archive: str | os.PathLike | Sequence[str] | None = None,
) -> FaceDataset:
    """Open the results of this workflow, or a published dataset.

    Labels are those of the variants' images: a variant whose camera has another geometry brings its own.

    Args:
        address: a folder that holds ``faces/faces.zarr`` and ``variants/NAME/thermal.zarr``, a zip of such a folder, or
            an fsspec URL of either.
        variants: which are read. None: all that have the source's geometry, where the address can be listed; a camera's
            variant of another geometry is opened by its name.
        split: ``train``, ``validation`` or ``test`` (:meth:`FaceDataset.split`); None: every row.
        statuses: statuses of the source sample that rows must have; None: any. Rows of another status than ``ok``
            have no image, and the reader gives NaN for it.
        fields: what is read of each row: any of ``thermal``, ``segmentation``, ``landmarks_70``, ``landmarks_478``,
            ``landmarks_478_visibility``; and ``rgb``, the source's images, where the dataset keeps them or ``archive``
            is named.
        crop: applied to every face, as :func:`tfake.reader.face.around_face` gives it.
        rows: ``common``: those that every variant was made for and, of usable samples, has an image of; what training
            wants. ``all``: every row of the source. ``thermal_status`` of a face says which variants have an image of
            it, and why the others have none; :meth:`FaceDataset.where` with ``images`` chooses by that.
        archive: the source's archive, for ``rgb``: one zip, or all its raw split parts in order.

    Returns:
        The dataset: ``len``, ``ds[i]``, ``ds[10:20]``, iteration, :meth:`~FaceDataset.batch`,
        :meth:`~FaceDataset.where`, :meth:`~FaceDataset.split`, :meth:`~FaceDataset.torch`.

    Raises:
        DatasetError: the address is no dataset, a variant or a field does not exist, the variants have no row in
            common, or different geometries and so no labels in common: open them one by one; or ``rgb`` is asked for
            and there is none (:func:`tfake.reader.rgb.find_rgb`).
    """
    if rows not in ROWS:
        raise DatasetError(f"rows is one of {', '.join(ROWS)}; found {rows!r}")
    if unknown := [name for name in fields if name not in (*FIELDS, *ON_DEMAND)]:
        raise DatasetError(f"{unknown[0]!r} is no field; they are {', '.join((*FIELDS, *ON_DEMAND))}")
    store = DatasetStore(address)
    names = find_variants(store, variants)
    columns = read_columns(store, names)
    if variants is None:
        # One that was begun and has no row yet would leave nothing of the others.
        names = columns.begun()
        columns = replace(columns, images={name: columns.images[name] for name in names})
    chosen = np.flatnonzero(columns.made if rows == "all" else columns.common())
    labels = label_source(store, names)
    rgb = find_rgb(store, labels, columns.status, archive) if "rgb" in fields else None
    dataset = FaceDataset(store, names, labels, columns, chosen, tuple(fields), crop, rgb)
    dataset = dataset.where(statuses=statuses)
    return dataset if split is None else dataset.split(split)
