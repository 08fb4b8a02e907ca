"""Shards, and the few names that the rule files share."""

import hashlib
import math
import re
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

from tfake.config.plan_variants import variant_kind
from tfake.variants.kinds import KINDS

CONDITIONS, RELEASED, TRAINED = PLAN.conditions, PLAN.released, PLAN.trained
VARIANTS = PLAN.variants
# Those that a camera records from another one, those that others published, and those that the thermalizer makes.
RECORDED, IMPORTED, THERMALIZED = PLAN.recorded, PLAN.imported, PLAN.thermalized
KIND_OF = {name: KINDS[variant_kind(config["variants"][name])] for name in VARIANTS}
AMBIENTS = PLAN.ambients
IMAGES, SHARD_IMAGES = PLAN.images, PLAN.shard_images
SHARDS = tuple(range(math.ceil(IMAGES / SHARD_IMAGES)))
MOST_SHARDS = 1000
if len(SHARDS) > MOST_SHARDS and workflow.is_main_process:
    _better = max(1000, math.ceil(IMAGES / MOST_SHARDS))
    logger.warning(
        f"config: store.shard_images is {SHARD_IMAGES}, which makes {len(SHARDS):,} shards of {IMAGES:,} images, each with "
        f"jobs of its own; with store.shard_images: {_better} there are {math.ceil(IMAGES / _better):,}."
    )
IS_PROCEDURAL = config["source"]["archive"] is None
KEEPS_IMAGES = config["store"]["rgb"] == "kept"
# Where the source's images are kept decoded: what readers of one shard and of all shards need, the store's root first.
DECODED_SHARD = (
    [
        "results/images/images.zarr/zarr.json",
        *KINDS["images"].metadata_files("results/images"),
        *KINDS["images"].shard_files("results/images").values(),
        "results/images/manifests/{shard}.json",
    ]
    if KEEPS_IMAGES
    else []
)
DECODED = [*DECODED_SHARD[:3], *collect(DECODED_SHARD[3:], shard=SHARDS)]
USES_LANDMARKER = config["labels"]["backend"] == "face_landmarker"


def one_of(names):
    """A wildcard's constraint to some names; without any, to what nothing is."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    condition=one_of(CONDITIONS),
    variant=one_of(VARIANTS),
    shard=r"\d+",


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
    return config["variants"][PLAN.base(wildcards.variant)]["condition"]


def get_camera(wildcards):
    """The settings of a variant's camera, its preset's included."""
    return PLAN.cameras[config["variants"][wildcards.variant]["camera"]]


def get_variant_settings(wildcards):
    """The settings of a variant."""
    return in_key_order(config["variants"][wildcards.variant])


def get_published_files(wildcards):
    """What others published: the folder or zip of a variant's images, and the pickle of points where it has one."""
    settings = config["variants"][wildcards.variant]
    return [settings["files"], *([] if settings["points"] is None else [settings["points"]])]


def get_base_root(wildcards):
    """Root metadata of the store that a camera looks at."""
    return f"results/variants/{PLAN.base(wildcards.variant)}/thermal.zarr/zarr.json"


def get_base_shard(wildcards):
    """The shard that a camera looks at."""
    return f"results/variants/{PLAN.base(wildcards.variant)}/thermal.zarr/thermal/c/{wildcards.shard}/0/0"


def get_base_manifest(wildcards):
    """That shard's manifest, written last."""
    return f"results/variants/{PLAN.base(wildcards.variant)}/manifests/{wildcards.shard}.json"


def get_arrays(wildcards):
    """Metadata of a variant's arrays."""
    return KIND_OF[wildcards.variant].metadata_files(f"results/variants/{wildcards.variant}")


def get_variant_rows(wildcards):
    """First row of a variant, and the row behind its last."""
    return PLAN.rows(wildcards.variant)


def get_manifests(wildcards):
    """The manifests of a variant's shards."""
    return [f"results/variants/{wildcards.variant}/manifests/{shard}.json" for shard in PLAN.shards(wildcards.variant)]


# Gathered by functions: Snakemake hashes a list that stands in a rule once for each of its own files.
def get_faces_manifests(wildcards):
    """The manifests of the faces store's shards."""
    return collect(rules.label_faces.output.manifest, shard=SHARDS)


def get_faces_files(wildcards):
    """Every file that the jobs of the faces store write, their manifests included."""
    return collect(rules.label_faces.output, shard=SHARDS)


def get_images_manifests(wildcards):
    """The manifests of the images store's shards."""
    return collect(rules.decode_images.output.manifest, shard=SHARDS)


def get_images_files(wildcards):
    """Every file that the jobs of the images store write, their manifests included."""
    return collect(rules.decode_images.output, shard=SHARDS)


def get_shard_files(wildcards):
    """Every file that the shard jobs of a variant write into its store."""
    files = KIND_OF[wildcards.variant].shard_files(f"results/variants/{wildcards.variant}")
    return collect(list(files.values()), shard=PLAN.shards(wildcards.variant))


def get_ambient(wildcards):
    """The ambient temperature of a variant: its own, or its condition's."""
    return AMBIENTS[wildcards.variant]


def get_condition_rooms(wildcards):
    """Lowest and highest room temperature that a condition is trained for."""
    return list(PLAN.rooms(wildcards.condition))


def get_lab_rooms(wildcards):
    """Lowest and highest room temperature of a condition's lab pairs: where they were recorded, or its own."""
    recorded_at = config["conditions"][wildcards.condition]["pairs"]["ambient_celsius"]
    return list(PLAN.rooms(wildcards.condition)) if recorded_at is None else [recorded_at, recorded_at]


def get_weights(wildcards):
    """Weights of the thermalizer that makes a variant."""
    return f"results/thermalizers/{get_condition(wildcards)}/weights.pt"


def get_provenance(wildcards):
    """How those weights were made."""
    return f"results/thermalizers/{get_condition(wildcards)}/provenance.json"


def get_truth(wildcards):
    """True temperatures in a variant's room; procedural source only."""
    return f"results/source/truth/{wildcards.variant}.zip"


def get_compared_folders(wildcards):
    """The folders of `snakemake compare`, which must be there when it is planned."""
    try:
        return check_compared(config["compare"])
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def get_seals(wildcards):
    """Identities of the stores that are compared: other stores in the same folders are compared anew."""
    lists = sorted(path for folder in get_compared_folders(wildcards) for path in Path(folder).glob("**/SHA256SUMS"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in lists}


def get_moment(wildcards):
    """When a command was given: a rule that looks at what is there looks anew at each."""
    return time.time()


def get_repaired_stores(wildcards):
    """The verdicts on the stores that are there, known when damage was looked for."""
    table = checkpoints.repair_stores.get().output.table
    return [table, *(f"{folder}/verified.json" for folder in STORES if Path(folder).is_dir())]


def get_first_shards(wildcards):
    """Manifests of the first shard of each store, for a forecast; none where runs are named that have been measured."""
    if config["forecast"]["runs"]:
        return []
    first = {variant: min(PLAN.shards(variant)) for variant in VARIANTS}
    made = [f"results/variants/{variant}/manifests/{shard}.json" for variant, shard in first.items()]
    return [f"results/faces/manifests/{SHARDS[0]}.json", *made]


def get_rule_threads(wildcards):
    """Threads of a job of each rule, those that are the same for all of its jobs."""
    asked = {rule.name: rule.resources["_cores"].raw for rule in workflow.rules if "_cores" in rule.resources}
    return {name: threads for name, threads in sorted(asked.items()) if isinstance(threads, int)}


def get_gpu_rules(wildcards):
    """The rules whose jobs take a GPU here."""
    return sorted(rule.name for rule in workflow.rules if "gpu" in rule.resources and rule.resources["gpu"].raw)


def get_released_weights(wildcards):
    """Weights that were trained elsewhere: the file as named, or where its download goes."""
    place = config["thermalizers"][wildcards.condition]["weights"]
    return f"resources/weights/{wildcards.condition}.pt" if "://" in place else place
