"""The source's images decoded once, for all who read them: on the way only with store.rgb: kept.

Labels, variants and trainings then read here instead of decoding the archive's PNGs each for themselves. A store of its own,
so that other labels make no variant anew, and no variant waits for labels.

NEEDS  the source archive, results/source/index.parquet
MAKES  results/images/images.zarr       rgb, segmentation
       results/images/manifests/{shard}.json
       results/images/SHA256SUMS, summary.json, verified.json
"""


rule create_images_store:
    """Write the metadata of the images store."""
    input:
        index=rules.index_archive.output.index,
    output:
        root="results/images/images.zarr/zarr.json",
        rgb="results/images/images.zarr/rgb/zarr.json",
        segmentation="results/images/images.zarr/segmentation/zarr.json",
    log:
        "logs/create_images_store.log",
    benchmark:
        "benchmarks/create_images_store.tsv"
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the images store."
    script:
        "../workflow_scripts/source/create_images_store.py"


rule decode_images:
    """Write one shard of the images store."""
    input:
        archive=PLAN.source.archive,
        index=rules.index_archive.output.index,
        root=rules.create_images_store.output.root,
        rgb=rules.create_images_store.output.rgb,
        segmentation=rules.create_images_store.output.segmentation,
    output:
        rgb="results/images/images.zarr/rgb/c/{shard}/0/0/0",
        segmentation="results/images/images.zarr/segmentation/c/{shard}/0/0",
        manifest="results/images/manifests/{shard}.json",
    log:
        "logs/decode_images/{shard}.log",
    benchmark:
        "benchmarks/decode_images/{shard}.tsv"
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(60),
    params:
        recipe=1,
        rows=PLAN.stores.shard_rows,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
    message:
        "Decoding shard {wildcards.shard}."
    script:
        "../workflow_scripts/source/decode_images.py"


use rule seal_thermal as seal_images with:
    input:
        root=rules.create_images_store.output.root,
        arrays=[rules.create_images_store.output.rgb, rules.create_images_store.output.segmentation],
        manifests=lambda wildcards: collect(rules.decode_images.output.manifest, shard=PLAN.source_shards),
    output:
        sums="results/images/SHA256SUMS",
        summary="results/images/summary.json",
    log:
        "logs/seal_images.log",
    benchmark:
        "benchmarks/seal_images.tsv"
    params:
        recipe=rules.seal_thermal.params.recipe,
        rows=[0, PLAN.images],
    message:
        "Sealing the images store."


use rule verify_thermal as verify_images with:
    input:
        sums=rules.seal_images.output.sums,
        root=rules.create_images_store.output.root,
        shards=lambda wildcards: collect(rules.decode_images.output, shard=PLAN.source_shards),
    output:
        report="results/images/verified.json",
    log:
        "logs/verify_images.log",
        table="logs/verify_images.csv",
    benchmark:
        "benchmarks/verify_images.tsv"
    message:
        "Verifying the images store."
