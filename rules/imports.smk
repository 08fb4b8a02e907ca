"""Variants that others published: T-FAKE's files for the source's faces, in a store like every other.

NEEDS  variants.NAME.files: a folder or zip of {id}_thermal.png; variants.NAME.points: T-FAKE's pickle, or null;
       results/faces/faces.zarr
MAKES  results/variants/{variant}/thermal.zarr      thermal, uint16, 0.01 K a count; landmarks_478, the published points
       results/variants/{variant}/manifests/{shard}.json
       sealed and verified as every variant (rules/variants.smk)
"""


rule create_import_store:
    """Write the metadata of a store for published images."""
    input:
        faces_root=rules.create_faces_store.output.root,
        faces_arrays=rules.create_faces_store.output.arrays,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=collect("results/variants/{{variant}}/thermal.zarr/{array}/zarr.json", array=IMPORT_ARRAYS),
    log:
        "logs/create_import_store/{variant}.log",
    benchmark:
        "benchmarks/create_import_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.imported),
    conda:
        "../envs/cameras.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        settings=PLAN.stores.settings,
        ambient_celsius=PLAN.stores.ambient,
        shard_images=lookup(dpath="store/shard_images", within=config),
    message:
        "Creating the store of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/create_import_store.py"


rule import_faces:
    """Write one shard of a variant from published images."""
    input:
        files=PLAN.stores.published_files,
        root=rules.create_import_store.output.root,
        arrays=rules.create_import_store.output.arrays,
        faces_root=rules.create_faces_store.output.root,
        faces_shard=rules.label_faces.output,
    output:
        thermal="results/variants/{variant}/thermal.zarr/thermal/c/{shard}/0/0",
        landmarks_478="results/variants/{variant}/thermal.zarr/landmarks_478/c/{shard}/0/0",
        manifest="results/variants/{variant}/manifests/{shard}.json",
    log:
        "logs/import_faces/{variant}/{shard}.log",
    benchmark:
        "benchmarks/import_faces/{variant}/{shard}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.imported),
    conda:
        "../envs/cameras.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2500),
        runtime=minutes(60),
    params:
        recipe=1,
        rows=PLAN.stores.shard_rows,
        settings=PLAN.stores.settings,
    message:
        "Importing shard {wildcards.shard} of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/import_faces.py"
