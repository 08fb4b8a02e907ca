"""The source: an archive in FaceSynthetics' layout, and the table of its samples.

NEEDS  nothing for the procedural source; otherwise source.archive: the name of a release, or paths and URLs; and
       source.accept_license for whatever comes from a server
MAKES  results/source/faces.zip             procedural faces (only without source.archive)
       results/source/lab/{condition}.zip   procedural training pairs, RGB and °C
       resources/archives/{file}            each published file, whole (source.download: whole), with the terms beside it
       resources/checksums.tsv              its length and SHA-256, recorded at the first download, then enforced
       results/source/first_samples.zip     the first published samples alone (source.download: first_samples)
       results/source/index.parquet         one row a sample: its members' places and its status
       results/images/                      the images decoded once for all who read them (store.rgb: kept): images.zarr
                                            with rgb and segmentation, manifests/, SHA256SUMS, summary.json, verified.json

The rendering jobs use every core. They have priority, or they would wait until the one-core jobs leave all cores free.
Downloads run where Snakemake runs: the nodes of a cluster often have no way out. Decoded images are a store of their own,
so that other labels make no variant anew, and no variant waits for labels.
"""

ABSENT = PLAN.source.find_absent() if workflow.is_main_process and workflow.output_settings.dryrun else []

# A dry run plans as if the archive were there.
if ABSENT:

    rule provide_archive:
        output:
            ABSENT,
        message:
            "To be put there by you: {output}."


rule render_faces:
    """Render procedural heads with exact labels, in FaceSynthetics' layout."""
    output:
        faces="results/source/faces.zip",
    log:
        "logs/render_faces.log",
    benchmark:
        "benchmarks/render_faces.tsv"
    priority: 1
    conda:
        f"{REPOSITORY}/envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(240),
    params:
        recipe=2,
        seed=lookup(dpath="procedural/seed", within=config),
        images=lookup(dpath="source/images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
    message:
        "Rendering {params.images} procedural faces."
    script:
        f"{REPOSITORY}/workflow_scripts/source/render_faces.py"


rule render_lab:
    """Render the lab set: frontal heads, RGB with registered temperatures."""
    output:
        pairs="results/source/lab/{condition}.zip",
    log:
        "logs/render_lab/{condition}.log",
    benchmark:
        "benchmarks/render_lab/{condition}.tsv"
    priority: 1
    conda:
        f"{REPOSITORY}/envs/render.yaml"
    threads: 16
    resources:
        mem_mb=memory_mb(8000),
        runtime=minutes(60),
    params:
        recipe=3,
        seed=lookup(dpath="procedural/seed", within=config),
        lab_pairs=lookup(dpath="procedural/lab_pairs", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        rooms=PLAN.thermalizers.lab_ambient_range,
        tables="measured",
    message:
        "Rendering {params.lab_pairs} lab pairs at {params.rooms} °C for {wildcards.condition}."
    script:
        f"{REPOSITORY}/workflow_scripts/source/render_lab.py"


rule download_archive:
    """Download one file of a published archive; a cut download goes on where it was cut."""
    output:
        file="resources/archives/{file}",
    log:
        "logs/download_archive/{file}.log",
    benchmark:
        "benchmarks/download_archive/{file}.tsv"
    wildcard_constraints:
        file=one_of(PLAN.source.urls),
    retries: 2
    localrule: True
    conda:
        "../envs/acquisition.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(1440),
    params:
        recipe=1,
        url=PLAN.source.url,
        all_urls=list(PLAN.source.urls.values()),
        source_license=lookup(dpath="source/license", within=config),
        registry="resources/checksums.tsv",
    message:
        "Downloading {wildcards.file}."
    script:
        "../workflow_scripts/source/download_archive.py"


rule fetch_members:
    """Fetch the first samples of a remote archive, without the rest of it."""
    output:
        archive="results/source/first_samples.zip",
    log:
        "logs/fetch_members.log",
    benchmark:
        "benchmarks/fetch_members.tsv"
    retries: 2
    localrule: True
    conda:
        "../envs/acquisition.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(240),
    params:
        recipe=1,
        urls=list(PLAN.source.urls.values()),
        images=lookup(dpath="source/images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Fetching the first {params.images} samples of the published archive."
    script:
        "../workflow_scripts/source/fetch_members.py"


rule index_archive:
    """List the archive's samples, check every byte of them, and give each a status."""
    input:
        archive=PLAN.source.archive,
    output:
        index="results/source/index.parquet",
    log:
        "logs/index_archive.log",
    benchmark:
        "benchmarks/index_archive.tsv"
    conda:
        f"{REPOSITORY}/envs/store.yaml"
    threads: 8
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
        images=lookup(dpath="source/images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
    message:
        "Indexing and checking {input.archive}."
    script:
        f"{REPOSITORY}/workflow_scripts/source/index_archive.py"


use rule create_store as create_images_store with:
    input:
        index=rules.index_archive.output.index,
    output:
        root="results/images/images.zarr/zarr.json",
        arrays=KINDS["images"].metadata_files("results/images"),
    log:
        "logs/create_images_store.log",
    benchmark:
        "benchmarks/create_images_store.tsv"
    params:
        recipe=rules.create_store.params.recipe,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the images store."


rule decode_images:
    """Write one shard of the images store."""
    input:
        archive=PLAN.source.archive,
        index=rules.index_archive.output.index,
        root=rules.create_images_store.output.root,
        arrays=rules.create_images_store.output.arrays,
    output:
        **KINDS["images"].shard_files("results/images"),
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


use rule seal_store as seal_images with:
    input:
        root=rules.create_images_store.output.root,
        arrays=rules.create_images_store.output.arrays,
        manifests=lambda wildcards: collect(rules.decode_images.output.manifest, shard=PLAN.source_shards),
    output:
        sums="results/images/SHA256SUMS",
        summary="results/images/summary.json",
    log:
        "logs/seal_images.log",
    benchmark:
        "benchmarks/seal_images.tsv"
    params:
        recipe=rules.seal_store.params.recipe,
        rows=[0, PLAN.images],
    message:
        "Listing the checksums of the images store."


use rule verify_store as verify_images with:
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
