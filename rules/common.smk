"""Shards, and the few names that the rule files share."""

import hashlib
import math
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

CONDITIONS = tuple(config["conditions"])
RELEASED = tuple(config["thermalizers"])
TRAINED = tuple(name for name in CONDITIONS if name not in RELEASED)
VARIANTS = tuple(config["variants"])
# Those that a camera records from another one, those that others published, and those that the thermalizer makes.
RECORDED = tuple(name for name in VARIANTS if "of" in config["variants"][name])
IMPORTED = tuple(name for name in VARIANTS if "files" in config["variants"][name])
THERMALIZED = tuple(name for name in VARIANTS if name not in RECORDED + IMPORTED)
CAMERA_ARRAYS = ("thermal", "segmentation", "landmarks_70", "landmarks_478", "source_to_image")
IMPORT_ARRAYS = ("thermal", "landmarks_478")
IMAGES = config["source"]["images"]
SHARD_IMAGES = config["store"]["shard_images"]
SHARDS = tuple(range(math.ceil(IMAGES / SHARD_IMAGES)))
MOST_SHARDS = 1000
if len(SHARDS) > MOST_SHARDS and workflow.is_main_process:
    _better = max(1000, math.ceil(IMAGES / MOST_SHARDS))
    logger.warning(
        f"config: store.shard_images is {SHARD_IMAGES}, which makes {len(SHARDS):,} shards of {IMAGES:,} images, each with "
        f"jobs of its own; with store.shard_images: {_better} there are {math.ceil(IMAGES / _better):,}."
    )
IS_PROCEDURAL = config["source"]["archive"] is None
FACES_ARRAYS = (
    "image_id",
    "status",
    "segmentation",
    "landmarks_70",
    "landmarks_478",
    "landmarks_478_raw",
    "landmarks_478_status",
    "landmarks_478_attempt",
    "landmarks_478_error",
    "landmarks_478_left_out_error",
    "landmarks_478_visibility",
    "head_pose",
    "openings",
    "blendshapes",
    "face_transform",
)
KEEPS_IMAGES = config["store"]["rgb"] == "kept"
# Where the source's images are kept decoded: what readers of one shard and of all shards need, the store's root first.
DECODED_SHARD = [
    f"results/images/{path}"
    for path in (
        "images.zarr/zarr.json",
        "images.zarr/rgb/zarr.json",
        "images.zarr/segmentation/zarr.json",
        "images.zarr/rgb/c/{shard}/0/0/0",
        "images.zarr/segmentation/c/{shard}/0/0",
        "manifests/{shard}.json",
    )
    if KEEPS_IMAGES
]
DECODED = [*DECODED_SHARD[:3], *collect(DECODED_SHARD[3:], shard=SHARDS)]
USES_LANDMARKER = config["labels"]["backend"] == "face_landmarker"


def one_of(names):
    """A wildcard's constraint to some names; without any, to what nothing is."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    condition=one_of(CONDITIONS),
    variant=one_of(VARIANTS),
    shard=r"\d+",


def get_rooms(condition):
    """Lowest and highest room temperature of a condition; equal where it is one number."""
    rooms = config["conditions"][condition]["ambient_celsius"]
    return rooms if isinstance(rooms, list) else [rooms, rooms]


AMBIENTS = {}
for _variant in THERMALIZED + IMPORTED:
    _settings = config["variants"][_variant]
    if _settings["condition"] not in CONDITIONS:
        raise WorkflowError(
            f"config: variants.{_variant}.condition is {_settings['condition']!r}; "
            f"the conditions are {', '.join(CONDITIONS)}"
        )
    _low, _high = get_rooms(_settings["condition"])
    _own = _settings["ambient_celsius"]
    if _low > _high or not (_low == _high if _own is None else _low <= _own <= _high):
        raise WorkflowError(
            f"config: variants.{_variant}.ambient_celsius is {_own}; its condition {_settings['condition']!r} is "
            f"trained for {_low} to {_high} °C (null is for a condition of one temperature)"
        )
    AMBIENTS[_variant] = _low if _own is None else _own

CAMERAS = {}
for _camera, _settings in config["cameras"].items():
    _preset = config["cameras"].get(_settings["preset"]) if "preset" in _settings else {}
    if _preset is None or "preset" in _preset:
        _complete = ", ".join(name for name, other in config["cameras"].items() if "preset" not in other)
        raise WorkflowError(
            f"config: cameras.{_camera}.preset is {_settings['preset']!r}; it must be a complete camera: {_complete}"
        )
    CAMERAS[_camera] = {key: value for key, value in sorted({**_preset, **_settings}.items()) if key != "preset"}

for _variant in RECORDED:
    _settings = config["variants"][_variant]
    for _key, _known in (("of", THERMALIZED), ("camera", CAMERAS)):
        if _settings[_key] not in _known:
            raise WorkflowError(
                f"config: variants.{_variant}.{_key} is {_settings[_key]!r}; it must be one of {', '.join(_known)}"
            )
    AMBIENTS[_variant] = AMBIENTS[_settings["of"]]


for _condition in RELEASED:
    if _condition not in CONDITIONS:
        raise WorkflowError(
            f"config: thermalizers.{_condition} is for no condition; the conditions are {', '.join(CONDITIONS)}"
        )


def in_key_order(block):
    """A config block whose keys are sorted: Snakemake would take another order for another setting."""
    if not isinstance(block, dict):
        return block
    return {key: in_key_order(block[key]) for key in sorted(block)}


def get_base(variant):
    """The variant that a camera looks at; any other variant itself."""
    return config["variants"][variant].get("of", variant)


def get_images(variant):
    """First row of a variant, and the row behind its last: its own, its base's, or all."""
    settings = config["variants"][variant]
    return settings.get("images") or config["variants"][get_base(variant)].get("images") or [0, IMAGES]


def get_shards(variant):
    """The numbers of a variant's shards."""
    start, stop = get_images(variant)
    return range(start // SHARD_IMAGES, math.ceil(stop / SHARD_IMAGES))


for _variant in VARIANTS:
    _start, _stop = get_images(_variant)
    _from, _to = get_images(get_base(_variant))
    _whole = _start % SHARD_IMAGES == 0 and (_stop % SHARD_IMAGES == 0 or _stop == IMAGES)
    if not (_from <= _start < _stop <= _to <= IMAGES and _whole):
        raise WorkflowError(
            f"config: variants.{_variant}.images is [{_start}, {_stop}]; it must be whole shards of {SHARD_IMAGES} rows, "
            f"rising, within [{_from}, {min(_to, IMAGES)}]"
        )


def get_condition_settings(wildcards):
    """The settings of a condition."""
    return in_key_order(config["conditions"][wildcards.condition])


def get_rows(wildcards):
    """First row of a shard, and the row behind its last."""
    start = int(wildcards.shard) * SHARD_IMAGES
    return [start, min(start + SHARD_IMAGES, IMAGES)]


def get_condition(wildcards):
    """The condition whose thermalizer makes a variant."""
    return config["variants"][get_base(wildcards.variant)]["condition"]


def get_camera(wildcards):
    """The settings of a variant's camera, its preset's included."""
    return CAMERAS[config["variants"][wildcards.variant]["camera"]]


def get_variant_settings(wildcards):
    """The settings of a variant."""
    return in_key_order(config["variants"][wildcards.variant])


def get_published_files(wildcards):
    """What others published: the folder or zip of a variant's images, and the pickle of points where it has one."""
    settings = config["variants"][wildcards.variant]
    return [settings["files"], *([] if settings["points"] is None else [settings["points"]])]


def get_base_root(wildcards):
    """Root metadata of the store that a camera looks at."""
    return f"results/variants/{get_base(wildcards.variant)}/thermal.zarr/zarr.json"


def get_base_shard(wildcards):
    """The shard that a camera looks at."""
    return f"results/variants/{get_base(wildcards.variant)}/thermal.zarr/thermal/c/{wildcards.shard}/0/0"


def get_base_manifest(wildcards):
    """That shard's manifest, written last."""
    return f"results/variants/{get_base(wildcards.variant)}/manifests/{wildcards.shard}.json"


def get_arrays(wildcards):
    """Metadata of a variant's arrays."""
    names = {**dict.fromkeys(RECORDED, CAMERA_ARRAYS), **dict.fromkeys(IMPORTED, IMPORT_ARRAYS)}
    arrays = names.get(wildcards.variant, ("thermal",))
    return [f"results/variants/{wildcards.variant}/thermal.zarr/{array}/zarr.json" for array in arrays]


def get_variant_rows(wildcards):
    """First row of a variant, and the row behind its last."""
    return get_images(wildcards.variant)


def get_manifests(wildcards):
    """The manifests of a variant's shards."""
    return [f"results/variants/{wildcards.variant}/manifests/{shard}.json" for shard in get_shards(wildcards.variant)]


# Gathered by functions: Snakemake hashes a list that stands in a rule once for each of its own files.
def get_faces_manifests(wildcards):
    """The manifests of the faces store's shards."""
    return collect(rules.label_faces.output.manifest, shard=SHARDS)


def get_faces_files(wildcards):
    """Every file that the jobs of the faces store write, their manifests included."""
    return collect(rules.label_faces.output, shard=SHARDS)


def get_shard_files(wildcards):
    """Every file that the shard jobs of a variant write into its store."""
    jobs = {**dict.fromkeys(RECORDED, "record_faces"), **dict.fromkeys(IMPORTED, "import_faces")}
    if wildcards.variant in jobs:
        made = getattr(rules, jobs[wildcards.variant]).output
        files = [file for file in made if not str(file).endswith(".json")]
    else:
        files = "results/variants/{variant}/thermal.zarr/thermal/c/{shard}/0/0"
    return collect(files, variant=wildcards.variant, shard=get_shards(wildcards.variant))


def get_ambient(wildcards):
    """The ambient temperature of a variant: its own, or its condition's."""
    return AMBIENTS[wildcards.variant]


def get_condition_rooms(wildcards):
    """Lowest and highest room temperature that a condition is trained for."""
    return get_rooms(wildcards.condition)


def get_lab_rooms(wildcards):
    """Lowest and highest room temperature of a condition's lab pairs: where they were recorded, or its own."""
    recorded_at = config["conditions"][wildcards.condition]["pairs"]["ambient_celsius"]
    return get_rooms(wildcards.condition) if recorded_at is None else [recorded_at, recorded_at]


def get_weights(wildcards):
    """Weights of the thermalizer that makes a variant."""
    return f"results/thermalizers/{get_condition(wildcards)}/weights.pt"


def get_provenance(wildcards):
    """How those weights were made."""
    return f"results/thermalizers/{get_condition(wildcards)}/provenance.json"


def get_truth(wildcards):
    """True temperatures in a variant's room; procedural source only."""
    return f"results/source/truth/{wildcards.variant}.zip"


def get_seals(wildcards):
    """Identities of the stores that are compared: other stores in the same folders are compared anew."""
    lists = sorted(path for folder in config["compare"] or () for path in Path(folder).glob("**/SHA256SUMS"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in lists}


def get_released_weights(wildcards):
    """Weights that were trained elsewhere: the file as named, or where its download goes."""
    place = config["thermalizers"][wildcards.condition]["weights"]
    return f"resources/weights/{wildcards.condition}.pt" if "://" in place else place
