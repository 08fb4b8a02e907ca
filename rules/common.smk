"""Shards, and the few names that the rule files share."""

import math
import re
import shutil

from snakemake.exceptions import WorkflowError

CONDITIONS = tuple(config["conditions"])
RELEASED = tuple(config["thermalizers"])
TRAINED = tuple(name for name in CONDITIONS if name not in RELEASED)
VARIANTS = tuple(config["variants"])
IMAGES = config["source"]["images"]
SHARD_IMAGES = config["store"]["shard_images"]
SHARDS = tuple(range(math.ceil(IMAGES / SHARD_IMAGES)))
IS_PROCEDURAL = config["source"]["archive"] is None
# Networks as small as the default gain little from a second thread: on a CPU, jobs side by side are twice as fast.
USES_GPU = config["device"] == "cuda" or (config["device"] == "auto" and shutil.which("nvidia-smi") is not None)
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
USES_LANDMARKER = config["labels"]["backend"] == "face_landmarker"


wildcard_constraints:
    condition="|".join(map(re.escape, CONDITIONS)),
    variant="|".join(map(re.escape, VARIANTS)),
    shard=r"\d+",


def get_rooms(condition):
    """Lowest and highest room temperature of a condition; equal where it is one number."""
    rooms = config["conditions"][condition]["ambient_celsius"]
    return rooms if isinstance(rooms, list) else [rooms, rooms]


AMBIENTS = {}
for _variant, _settings in config["variants"].items():
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


def get_condition_settings(wildcards):
    """The settings of a condition."""
    return in_key_order(config["conditions"][wildcards.condition])


def get_rows(wildcards):
    """First row of a shard, and the row behind its last."""
    start = int(wildcards.shard) * SHARD_IMAGES
    return [start, min(start + SHARD_IMAGES, IMAGES)]


def get_condition(wildcards):
    """The condition whose thermalizer makes a variant."""
    return config["variants"][wildcards.variant]["condition"]


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


def get_released_weights(wildcards):
    """Weights that were trained elsewhere: the file as named, or where its download goes."""
    place = config["thermalizers"][wildcards.condition]["weights"]
    return f"resources/weights/{wildcards.condition}.pt" if "://" in place else place
