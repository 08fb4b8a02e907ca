"""Variants that a camera records: nothing is thermalized again, and the labels follow the picture.

NEEDS  results/variants/{variants.NAME.of}/thermal.zarr, results/faces/faces.zarr
MAKES  results/variants/{variant}/thermal.zarr      thermal (0.01 K a count, or 8-bit grey values), segmentation,
                                                    landmarks_70, landmarks_478, source_to_image
       results/variants/{variant}/manifests/{shard}.json
       sealed and verified as every variant (rules/variants.smk)
"""


rule create_camera_store:
    """Write the metadata of a camera variant's store."""
    input:
        root=PLAN.stores.base_root,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=collect("results/variants/{{variant}}/thermal.zarr/{array}/zarr.json", array=CAMERA_ARRAYS),
    log:
        "logs/create_camera_store/{variant}.log",
    benchmark:
        "benchmarks/create_camera_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.recorded),
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        of=lookup(dpath="variants/{variant}/of", within=config),
        camera=PLAN.stores.camera,
        shard_images=lookup(dpath="store/shard_images", within=config),
    message:
        "Creating the store of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/create_camera_store.py"


rule record_faces:
    """Record one shard of a variant with its camera."""
    input:
        root=rules.create_camera_store.output.root,
        arrays=rules.create_camera_store.output.arrays,
        base_root=PLAN.stores.base_root,
        base_manifest=PLAN.stores.base_manifest,
        base_shard=PLAN.stores.base_shard,
        faces_root=rules.create_faces_store.output.root,
        faces_shard=rules.label_faces.output,
    output:
        thermal="results/variants/{variant}/thermal.zarr/thermal/c/{shard}/0/0",
        segmentation="results/variants/{variant}/thermal.zarr/segmentation/c/{shard}/0/0",
        landmarks_70="results/variants/{variant}/thermal.zarr/landmarks_70/c/{shard}/0/0",
        landmarks_478="results/variants/{variant}/thermal.zarr/landmarks_478/c/{shard}/0/0",
        source_to_image="results/variants/{variant}/thermal.zarr/source_to_image/c/{shard}/0/0",
        manifest="results/variants/{variant}/manifests/{shard}.json",
    log:
        "logs/record_faces/{variant}/{shard}.log",
    benchmark:
        "benchmarks/record_faces/{variant}/{shard}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.recorded),
    conda:
        "../envs/cameras.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2500),
        runtime=minutes(60),
    params:
        recipe=1,
        rows=PLAN.stores.shard_rows,
        of=lookup(dpath="variants/{variant}/of", within=config),
        camera=PLAN.stores.camera,
    message:
        "Recording shard {wildcards.shard} of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/record_faces.py"
