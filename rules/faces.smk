"""The faces store: labels and class maps, once a source.

NEEDS  the source archive, results/source/index.parquet; results/images/ where store.rgb is kept
MAKES  results/models/face_landmarker.task   only for the backend that needs it, unless a local file is named
       results/faces/faces.zarr       image_id, status, segmentation, landmarks_70, landmarks_478 and their quality
       results/faces/manifests/{shard}.json
       results/faces/SHA256SUMS, summary.json, verified.json
"""


rule create_faces_store:
    """Write the metadata of the faces store."""
    input:
        index=rules.index_archive.output.index,
    output:
        root="results/faces/faces.zarr/zarr.json",
        arrays=collect("results/faces/faces.zarr/{array}/zarr.json", array=FACES_ARRAYS),
    log:
        "logs/create_faces_store.log",
    benchmark:
        "benchmarks/create_faces_store.tsv"
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=3,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the faces store."
    script:
        "../workflow_scripts/faces/create_faces_store.py"


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
        image_id="results/faces/faces.zarr/image_id/c/{shard}/0",
        status="results/faces/faces.zarr/status/c/{shard}",
        segmentation="results/faces/faces.zarr/segmentation/c/{shard}/0/0",
        landmarks_70="results/faces/faces.zarr/landmarks_70/c/{shard}/0/0",
        landmarks_478="results/faces/faces.zarr/landmarks_478/c/{shard}/0/0",
        landmarks_478_raw="results/faces/faces.zarr/landmarks_478_raw/c/{shard}/0/0",
        landmarks_478_status="results/faces/faces.zarr/landmarks_478_status/c/{shard}",
        landmarks_478_attempt="results/faces/faces.zarr/landmarks_478_attempt/c/{shard}",
        landmarks_478_error="results/faces/faces.zarr/landmarks_478_error/c/{shard}",
        landmarks_478_left_out_error="results/faces/faces.zarr/landmarks_478_left_out_error/c/{shard}",
        landmarks_478_visibility="results/faces/faces.zarr/landmarks_478_visibility/c/{shard}/0",
        head_pose="results/faces/faces.zarr/head_pose/c/{shard}/0",
        openings="results/faces/faces.zarr/openings/c/{shard}/0",
        blendshapes="results/faces/faces.zarr/blendshapes/c/{shard}/0",
        face_transform="results/faces/faces.zarr/face_transform/c/{shard}/0/0",
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


rule seal_faces:
    """Write the faces store's checksums and summary from its manifests."""
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
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        images=lookup(dpath="source/images", within=config),
    message:
        "Listing the checksums of the faces store."
    script:
        "../workflow_scripts/faces/seal_faces.py"


rule verify_faces:
    """Reread every byte of the faces store."""
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
    conda:
        "../envs/store.yaml"
    threads: 4
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
    message:
        "Verifying the faces store."
    script:
        "../workflow_scripts/faces/verify_faces.py"
