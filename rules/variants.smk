"""Variants: the source's faces as a thermal camera would see them, one store a variant.

NEEDS  the source archive and its index, results/thermalizers/{condition}/
MAKES  results/variants/{variant}/thermal.zarr      thermal, uint16, 0.01 K a count
       results/variants/{variant}/manifests/{shard}.json
       results/variants/{variant}/SHA256SUMS, summary.json, verified.json
       results/variants/{variant}/evaluation.csv    procedural source only: error against the thermal truth
       variant_NAME: a target for each of them
"""


rule create_thermal_store:
    """Write the metadata of a variant's thermal store."""
    input:
        index=rules.index_archive.output.index,
        weights=PLAN.stores.weights,
        provenance=PLAN.stores.provenance,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        thermal="results/variants/{variant}/thermal.zarr/thermal/zarr.json",
    log:
        "logs/create_thermal_store/{variant}.log",
    benchmark:
        "benchmarks/create_thermal_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.thermalized),
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=2,
        condition=PLAN.stores.condition,
        ambient_celsius=PLAN.stores.ambient,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the thermal store of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/create_thermal_store.py"


# One rule, unless jobs write several shards.
for _name, (_batch, _variants) in PLAN.stores.batches(USES_GPU).items():

    rule:
        """Write one shard of a variant's thermal store, or a batch of them."""
        name:
            _name
        input:
            archive=PLAN.source.undecoded,
            images=PLAN.stores.decoded(_batch),
            index=rules.index_archive.output.index,
            weights=PLAN.stores.weights,
            root=rules.create_thermal_store.output.root,
            thermal=rules.create_thermal_store.output.thermal,
        output:
            thermal=collect("results/variants/{{variant}}/thermal.zarr/thermal/c/{shard}/0/0", shard=_batch),
            manifests=collect("results/variants/{{variant}}/manifests/{shard}.json", shard=_batch),
        log:
            f"logs/thermalize_faces/{{variant}}/{_batch[0]}.log",
        benchmark:
            f"benchmarks/thermalize_faces/{{variant}}/{_batch[0]}.tsv"
        wildcard_constraints:
            variant=one_of(_variants),
        conda:
            "../envs/thermalizer.yaml"
        threads: NETWORK_THREADS
        resources:
            **NETWORK_DEVICE,
            mem_mb=memory_mb(6000),
            runtime=minutes(120),
        params:
            recipe=2,
            # Neither rows nor shards: another number of shards a job makes nothing anew.
            shard_images=lookup(dpath="store/shard_images", within=config),
            ambient_celsius=PLAN.stores.ambient,
            image_pixels=lookup(dpath="source/image_pixels", within=config),
            precision=lookup(dpath="inference_precision", within=config),
        message:
            "Thermalizing {wildcards.variant}: {output.manifests}."
        script:
            "../workflow_scripts/variants/thermalize_faces.py"


rule seal_thermal:
    """Write a thermal store's checksums and summary from its manifests."""
    input:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=PLAN.stores.arrays,
        manifests=PLAN.stores.manifests,
    output:
        sums="results/variants/{variant}/SHA256SUMS",
        summary="results/variants/{variant}/summary.json",
    log:
        "logs/seal_thermal/{variant}.log",
    benchmark:
        "benchmarks/seal_thermal/{variant}.tsv"
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        rows=PLAN.stores.rows,
    message:
        "Listing the checksums of the thermal store of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/seal_thermal.py"


rule verify_thermal:
    """Reread every byte of a variant's thermal store."""
    input:
        sums=rules.seal_thermal.output.sums,
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        shards=PLAN.stores.shard_files,
    output:
        report="results/variants/{variant}/verified.json",
    log:
        "logs/verify_thermal/{variant}.log",
        table="logs/verify_thermal/{variant}.csv",
    benchmark:
        "benchmarks/verify_thermal/{variant}.tsv"
    conda:
        "../envs/store.yaml"
    threads: 4
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
    message:
        "Verifying the thermal store of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/verify_thermal.py"


rule render_truth:
    """Render the true temperatures of the procedural faces; no training reads them."""
    output:
        truth="results/source/truth/{variant}.zip",
    log:
        "logs/render_truth/{variant}.log",
    benchmark:
        "benchmarks/render_truth/{variant}.tsv"
    priority: 1
    conda:
        f"{REPOSITORY}/envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(240),
    params:
        recipe=1,
        seed=lookup(dpath="procedural/seed", within=config),
        images=lookup(dpath="source/images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=PLAN.stores.ambient,
    message:
        "Rendering the true temperatures at {params.ambient_celsius} °C for {wildcards.variant}."
    script:
        f"{REPOSITORY}/workflow_scripts/variants/render_truth.py"


rule evaluate_thermal:
    """Compare a variant of the procedural faces with their thermal truth."""
    input:
        sums=rules.verify_thermal.input.sums,
        root=rules.create_thermal_store.output.root,
        faces=rules.verify_faces.output.report,
        faces_root=rules.create_faces_store.output.root,
        truth=rules.render_truth.output.truth,
    output:
        table="results/variants/{variant}/evaluation.csv",
    log:
        "logs/evaluate_thermal/{variant}.log",
    benchmark:
        "benchmarks/evaluate_thermal/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.thermalized),
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(120),
    params:
        recipe=1,
    message:
        "Comparing {wildcards.variant} with its thermal truth."
    script:
        "../workflow_scripts/variants/evaluate_thermal.py"


# Milestones: snakemake variant_cold. With what the reader needs to open it: the labels, and the config that was in force.
for _variant in PLAN.variants:

    rule:
        name:
            f"variant_{_variant}"
        input:
            thermal=f"results/variants/{_variant}/verified.json",
            faces=rules.verify_faces.output.report,
            config="results/config.yaml",
        message:
            "The dataset in results is complete and verified: {input.thermal}."
