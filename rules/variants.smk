"""Variants: the source's faces as a thermal camera would see them, one store a variant, of one of four kinds:

modelled by the temperature model alone, from the labels; thermalized by the network of a condition; recorded from
another variant by a camera, labels included; imported from T-FAKE's files, which others published for the same faces.

NEEDS  modelled: the source archive and its index, results/faces/faces.zarr
       thermalized: the source archive and its index, results/thermalizers/{condition}/, for heat fields faces.zarr
       recorded: results/variants/{variants.NAME.of}/thermal.zarr, results/faces/faces.zarr
       imported: variants.NAME.files, a folder or zip of {id}_thermal.png; variants.NAME.points, T-FAKE's pickle, or
       null; results/faces/faces.zarr
MAKES  results/variants/{variant}/thermal.zarr      thermal, uint16, 0.01 K a count, or 8-bit grey values of a camera
                                                    recorded: segmentation, landmarks_70, landmarks_478 and
                                                    source_to_image, too; imported: landmarks_478, the published points
       results/variants/{variant}/manifests/{shard}.json
       results/variants/{variant}/SHA256SUMS, summary.json, verified.json
       results/variants/{variant}/evaluation.csv    procedural source only: error against the thermal truth
       variant_NAME: a target for each of them
"""


use rule create_store as create_thermal_store with:
    input:
        index=rules.index_archive.output.index,
        weights=PLAN.stores.weights,
        provenance=PLAN.stores.provenance,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=KINDS["thermalized"].metadata_files("results/variants/{variant}"),
    log:
        "logs/create_thermal_store/{variant}.log",
    benchmark:
        "benchmarks/create_thermal_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.thermalized),
    params:
        recipe=3,
        condition=PLAN.stores.condition,
        heat=PLAN.stores.heat,
        ambient_celsius=PLAN.stores.ambient,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the thermal store of {wildcards.variant}."


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
            arrays=rules.create_thermal_store.output.arrays,
            faces=PLAN.stores.meshes,
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
            branch(
                PLAN.thermalizers.is_diffusion,
                then="../envs/diffusion.yaml",
                otherwise="../envs/thermalizer.yaml",
            )
        threads: NETWORK_THREADS
        resources:
            **NETWORK_DEVICE,
            mem_mb=memory_mb(6000),
            runtime=minutes(120),
        params:
            recipe=3,
            # Neither rows nor shards: another number of shards a job makes nothing anew.
            shard_images=lookup(dpath="store/shard_images", within=config),
            ambient_celsius=PLAN.stores.ambient,
            image_pixels=lookup(dpath="source/image_pixels", within=config),
            precision=lookup(dpath="inference_precision", within=config),
            heat=PLAN.stores.heat,
        message:
            "Thermalizing {wildcards.variant}: {output.manifests}."
        script:
            "../workflow_scripts/variants/thermalize_faces.py"


use rule create_store as create_heat_store with:
    input:
        index=rules.index_archive.output.index,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=KINDS["modelled"].metadata_files("results/variants/{variant}"),
    log:
        "logs/create_heat_store/{variant}.log",
    benchmark:
        "benchmarks/create_heat_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.modelled),
    params:
        recipe=1,
        heat=PLAN.stores.heat,
        ambient_celsius=PLAN.stores.ambient,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the store of {wildcards.variant}."


rule model_faces:
    """Write one shard of a variant by the temperature model."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.decoded(["{shard}"]),
        index=rules.index_archive.output.index,
        root=rules.create_heat_store.output.root,
        arrays=rules.create_heat_store.output.arrays,
        faces_root=rules.create_faces_store.output.root,
        faces_shard=rules.label_faces.output,
    output:
        **KINDS["modelled"].shard_files("results/variants/{variant}"),
        manifest="results/variants/{variant}/manifests/{shard}.json",
    log:
        "logs/model_faces/{variant}/{shard}.log",
    benchmark:
        "benchmarks/model_faces/{variant}/{shard}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.modelled),
    conda:
        "../envs/cameras.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(120),
    params:
        recipe=rules.create_heat_store.params.recipe,
        rows=PLAN.stores.shard_rows,
        heat=PLAN.stores.heat,
        ambient_celsius=PLAN.stores.ambient,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
    message:
        "Modelling shard {wildcards.shard} of {wildcards.variant}."
    script:
        "../workflow_scripts/variants/model_faces.py"


use rule create_store as create_camera_store with:
    input:
        base_root=PLAN.stores.base_root,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=KINDS["recorded"].metadata_files("results/variants/{variant}"),
    log:
        "logs/create_camera_store/{variant}.log",
    benchmark:
        "benchmarks/create_camera_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.recorded),
    params:
        recipe=rules.create_store.params.recipe,
        of=lookup(dpath="variants/{variant}/of", within=config),
        camera=PLAN.stores.camera,
        shard_images=lookup(dpath="store/shard_images", within=config),
    message:
        "Creating the store of {wildcards.variant}."


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
        **KINDS["recorded"].shard_files("results/variants/{variant}"),
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


use rule create_store as create_import_store with:
    input:
        faces_root=rules.create_faces_store.output.root,
        faces_arrays=rules.create_faces_store.output.arrays,
    output:
        root="results/variants/{variant}/thermal.zarr/zarr.json",
        arrays=KINDS["imported"].metadata_files("results/variants/{variant}"),
    log:
        "logs/create_import_store/{variant}.log",
    benchmark:
        "benchmarks/create_import_store/{variant}.tsv"
    wildcard_constraints:
        variant=one_of(PLAN.imported),
    params:
        recipe=rules.create_store.params.recipe,
        settings=PLAN.stores.settings,
        ambient_celsius=PLAN.stores.ambient,
        shard_images=lookup(dpath="store/shard_images", within=config),
    message:
        "Creating the store of {wildcards.variant}."


rule import_faces:
    """Write one shard of a variant from published images."""
    input:
        files=PLAN.stores.published_files,
        root=rules.create_import_store.output.root,
        arrays=rules.create_import_store.output.arrays,
        faces_root=rules.create_faces_store.output.root,
        faces_shard=rules.label_faces.output,
    output:
        **KINDS["imported"].shard_files("results/variants/{variant}"),
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


use rule seal_store as seal_thermal with:
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
    params:
        recipe=rules.seal_store.params.recipe,
        rows=PLAN.stores.rows,
    message:
        "Listing the checksums of the thermal store of {wildcards.variant}."


use rule verify_store as verify_thermal with:
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
    message:
        "Verifying the thermal store of {wildcards.variant}."


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
        recipe=2,
        tables="measured",
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
        variant=one_of(PLAN.generated),
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
