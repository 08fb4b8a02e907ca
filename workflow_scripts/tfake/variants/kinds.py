"""The kinds of stores: what each holds, which rules make it, and how its metadata are found.

``faces`` and ``images`` are made once a source, ``sequences`` of procedural people, ``retargeted`` of stills that were
set in motion; the other kinds are those of variants. One more kind of variant is an entry here, a model of its keys in
the config, the script of its shards, and its two rules in ``rules/variants.smk``.

Planning a run imports this module where numpy is not installed, so a description imports what it needs by itself.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tfake import heat
from tfake.store.layouts import (
    ArrayLayout,
    faces_layout,
    images_layout,
    imported_layout,
    recorded_layout,
    retargeted_layout,
    sequences_layout,
    store_attributes,
    thermal_layout,
)

Given = Mapping[str, Any]


class Description(NamedTuple):
    """What a store's metadata say."""

    layout: tuple[ArrayLayout, ...]
    rows: int
    attributes: dict[str, Any]


@dataclass(frozen=True)
class StoreKind:
    """What is particular to a kind of store; creating, sealing, verifying and repairing are alike for all.

    Attributes:
        store: name of the store's folder.
        layout: its arrays, for a height of the images; further arguments change neither their names nor their files.
        create_rule: the rule that writes the metadata.
        shard_rule: the rule that fills a shard.
        describe: finds the metadata from the named inputs, params and wildcards of ``create_rule``.
    """

    store: str
    layout: Callable[..., tuple[ArrayLayout, ...]]
    create_rule: str
    shard_rule: str
    describe: Callable[[Given], Description]

    def metadata_files(self, folder: str) -> list[str]:
        """Each array's metadata file; ``folder`` is the one that holds the store."""
        return [f"{folder}/{self.store}/{array.name}/zarr.json" for array in self.layout(1)]

    def shard_files(self, folder: str) -> dict[str, str]:
        """Array name to its file of the shard ``{shard}``; ``folder`` is the one that holds the store."""
        return {array.name: f"{folder}/{self.store}/{array.shard_file('{shard}')}" for array in self.layout(1)}


def _describe_faces(given: Given) -> Description:
    return _describe_source(given, faces_layout, "Faces: labels and class maps")


def _describe_images(given: Given) -> Description:
    return _describe_source(given, images_layout, "Faces: the source's images, decoded")


def _describe_thermalized(given: Given) -> Description:
    from tfake.store.manifest import file_sha256

    return _describe_source(
        given,
        thermal_layout,
        f"Thermal faces, variant {given['variant']}",
        variant=given["variant"],
        condition=given["condition"],
        ambient_celsius=given["ambient_celsius"],
        heat=dict(given["heat"]),
        thermalizer_sha256=file_sha256(given["weights"]),
        thermalizer=json.loads(Path(given["provenance"]).read_text()),
    )


def _describe_modelled(given: Given) -> Description:
    tables = given["heat"]["tables"]
    return _describe_source(
        given,
        thermal_layout,
        f"Thermal faces, variant {given['variant']}: by the temperature model, without a network",
        variant=given["variant"],
        ambient_celsius=given["ambient_celsius"],
        heat=dict(given["heat"]),
        modelled={"recipe": given["recipe"], "tables": tables, "tables_sha256": _tables_sha256(tables)},
    )


def _tables_sha256(tables: str) -> str:
    """The identity of a set of the model's tables: over names and bytes of its files."""
    digest = hashlib.sha256()
    for path in sorted((Path(heat.__file__).parent / tables).glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _describe_source(given: Given, layout: Callable[[int], tuple[ArrayLayout, ...]], title: str, **more) -> Description:
    from tfake.archive.index import read_index

    table = read_index(given["index"])
    source = {"license": given["source_license"], "source_sha256": table.attrs["source_sha256"]}
    return Description(layout(given["image_pixels"]), len(table), store_attributes(title, **source, **more))


def _describe_recorded(given: Given) -> Description:
    """A camera's store has its base's attributes and rows."""
    from tfake.camera.camera_model import Camera
    from tfake.store.arrays import open_store

    base = open_store(Path(given["base_root"]).parent)
    camera = Camera.of(given["camera"])
    attributes = {
        **base.attrs.asdict(),
        "title": f"Thermal faces, variant {given['variant']}: {given['of']} through a camera",
        "variant": given["variant"],
        "of": given["of"],
        "camera": dict(given["camera"]),
    }
    width, height = camera.image_pixels
    return Description(recorded_layout(height, width, camera.values), base["thermal"].shape[0], attributes)


def _describe_imported(given: Given) -> Description:
    """The source's attributes and rows; the images are looked at, for they may be others than T-FAKE publishes.

    Raises:
        ValueError: there is no published image, or they are not what T-FAKE publishes.
    """
    from tfake.archive.file_trees import open_tree
    from tfake.store.arrays import open_store
    from tfake.variants.imported import check_images, list_images

    settings = given["settings"]
    tree = open_tree(settings["files"], "published thermal images")
    check_images(tree, list_images(tree))
    faces = open_store(Path(given["faces_root"]).parent)
    name, points = Path(settings["files"]).name, settings["points"]
    attributes = {
        **faces.attrs.asdict(),
        "title": f"Thermal faces, variant {given['variant']}: imported from {name}",
        "license": f"{faces.attrs['license']} AND {settings['license']}",
        "variant": given["variant"],
        "imported": name,
        "points": "faces.zarr" if points is None else Path(points).name,
        "condition": settings["condition"],
        "ambient_celsius": given["ambient_celsius"],
    }
    rows, pixels = faces["segmentation"].shape[:2]
    return Description(imported_layout(pixels), rows, attributes)


def _describe_sequences(given: Given) -> Description:
    settings, tables = dict(given["settings"]), given["settings"]["tables"]
    identity = json.dumps([settings, given["recipe"], _tables_sha256(tables)], sort_keys=True)
    attributes = store_attributes(
        "Sequences of procedural people: thermal, RGB, labels and physiology through time",
        "CC0-1.0",
        hashlib.sha256(identity.encode()).hexdigest(),
        settings=settings,
        sequences=given["sequences"],
        frames=settings["frames"],
        frames_per_second=settings["frames_per_second"],
    )
    rows = len(given["sequences"]) * settings["frames"]
    return Description(sequences_layout(settings["image_pixels"]), rows, attributes)


def _describe_retargeted(given: Given) -> Description:
    """The terms and the source of the stills; of a frame, what is moved and how, and of films what they hold."""
    from tfake.store.arrays import open_store
    from tfake.store.manifest import file_sha256

    base = open_store(Path(given["thermal_root"]).parent)
    settings = dict(given["settings"])
    tables = _tables_sha256(settings["tables"])
    drivers = dict.fromkeys(one["driver"] for one in given["sequences"] if one["driver"] is not None)
    films = {name: file_sha256(path) for name, path in zip(drivers, given["films"], strict=True)}
    identity = json.dumps(
        [settings, given["recipe"], given["variant"], base.attrs["source_sha256"], tables, films], sort_keys=True
    )
    attributes = store_attributes(
        "Stills in motion: thermal, RGB and labels through time, warped by a mesh",
        base.attrs["license"],
        hashlib.sha256(identity.encode()).hexdigest(),
        settings=settings,
        sequences=given["sequences"],
        films_sha256=films,
        frames=settings["frames"],
        frames_per_second=settings["frames_per_second"],
        variant=given["variant"],
        ambient_celsius=base.attrs["ambient_celsius"],
        stills_sha256=base.attrs["source_sha256"],
    )
    rows, pixels = len(given["sequences"]) * settings["frames"], base["thermal"].shape[1]
    return Description(retargeted_layout(pixels), rows, attributes)


KINDS = {
    "faces": StoreKind("faces.zarr", faces_layout, "create_faces_store", "label_faces", _describe_faces),
    "images": StoreKind("images.zarr", images_layout, "create_images_store", "decode_images", _describe_images),
    "thermalized": StoreKind(
        "thermal.zarr", thermal_layout, "create_thermal_store", "thermalize_faces", _describe_thermalized
    ),
    "modelled": StoreKind("thermal.zarr", thermal_layout, "create_heat_store", "model_faces", _describe_modelled),
    "recorded": StoreKind("thermal.zarr", recorded_layout, "create_camera_store", "record_faces", _describe_recorded),
    "imported": StoreKind("thermal.zarr", imported_layout, "create_import_store", "import_faces", _describe_imported),
    "sequences": StoreKind(
        "sequences.zarr", sequences_layout, "create_sequences_store", "render_sequence", _describe_sequences
    ),
    "retargeted": StoreKind(
        "sequences.zarr", retargeted_layout, "create_retargeting_store", "retarget_face", _describe_retargeted
    ),
}


def kind_created_by(rule: str) -> StoreKind:
    """The kind whose metadata a rule writes."""
    (kind,) = (kind for kind in KINDS.values() if kind.create_rule == rule)
    return kind
