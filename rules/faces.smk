"""The faces store: labels and class maps, once a source.

NEEDS  the source archive, results/source/index.parquet; results/images/ where store.rgb is kept
MAKES  results/models/face_landmarker.task   only for the backend that needs it, unless a local file is named
       results/faces/faces.zarr       image_id, status, segmentation, landmarks_70, landmarks_478 and their quality
       results/faces/manifests/{shard}.json
       results/faces/SHA256SUMS, summary.json, verified.json
"""


use rule create_store as create_faces_store with:
    input:
        index=rules.index_archive.output.index,
    output:
        root="results/faces/faces.zarr/zarr.json",
        arrays=KINDS["faces"].metadata_files("results/faces"),
    log:
        "logs/create_faces_store.log",
    benchmark:
        "benchmarks/create_faces_store.tsv"
    params:
        recipe=3,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the faces store."


rule fetch_landmarker:
    """Fetch MediaPipe's face landmarker model and check it."""
    output:
        model=ensure(
            "results/models/face_landmarker.task",
            sha256=lookup(dpath="labels/face_landmarker/sha256", within=config),
        ),
    log:
        "logs/fetch_landmarker.log",
    benchmark:
        "benchmarks/fetch_landmarker.tsv"
    retries: 2
    localrule: True
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(10),
    params:
        recipe=1,
        url=lookup(dpath="labels/face_landmarker/url", within=config),
    message:
        "Fetching the face landmarker's model."
    script:
        "../workflow_scripts/faces/fetch_landmarker.py"


rule label_faces:
    """Write one shard of the faces store."""
    input:
        archive=PLAN.source.archive,
        index=rules.index_archive.output.index,
        root=rules.create_faces_store.output.root,
        arrays=rules.create_faces_store.output.arrays,
        model=(
            config["labels"]["face_landmarker"]["path"] or rules.fetch_landmarker.output.model
            if PLAN.stores.uses_landmarker
            else []
        ),
        images=PLAN.stores.decoded(["{shard}"]),
    output:
        **KINDS["faces"].shard_files("results/faces"),
        manifest="results/faces/manifests/{shard}.json",
    log:
        "logs/label_faces/{shard}.log",
    benchmark:
        "benchmarks/label_faces/{shard}.tsv"
    conda:
        "../envs/face-landmarker.yaml" if PLAN.stores.uses_landmarker else "../envs/labels.yaml"
    threads: 1
    resources:
        # For one process; each further thread is one more, with 700 MB.
        mem_mb=memory_mb(3200),
        runtime=minutes(60),
    params:
        recipe=3,
        rows=PLAN.stores.shard_rows,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        # Without the model's place: the model itself is an input.
        labels=PLAN.stores.labels,
    message:
        "Labelling shard {wildcards.shard}."
    script:
        "../workflow_scripts/faces/label_faces.py"


use rule seal_store as seal_faces with:
    input:
        root=rules.create_faces_store.output.root,
        arrays=rules.create_faces_store.output.arrays,
        manifests=lambda wildcards: collect(rules.label_faces.output.manifest, shard=PLAN.source_shards),
    output:
        sums="results/faces/SHA256SUMS",
        summary="results/faces/summary.json",
    log:
        "logs/seal_faces.log",
    benchmark:
        "benchmarks/seal_faces.tsv"
    params:
        recipe=rules.seal_store.params.recipe,
        rows=PLAN.images,
    message:
        "Listing the checksums of the faces store."


use rule verify_store as verify_faces with:
    input:
        sums=rules.seal_faces.output.sums,
        index=rules.index_archive.output.index,
        root=rules.create_faces_store.output.root,
        shards=lambda wildcards: collect(rules.label_faces.output, shard=PLAN.source_shards),
    output:
        report="results/faces/verified.json",
    log:
        "logs/verify_faces.log",
        table="logs/verify_faces.csv",
    benchmark:
        "benchmarks/verify_faces.tsv"
    message:
        "Verifying the faces store."
