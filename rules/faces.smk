"""The faces store: labels and class maps, once a source.

NEEDS  the source archive, results/source/index.parquet
MAKES  results/faces/faces.zarr       image_id, status, segmentation, landmarks_70, landmarks_478 (+ its status)
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
        mem_mb=1000,
        runtime=10,
    params:
        recipe=1,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        shard_images=lookup(dpath="store/shard_images", within=config),
        source_license=lookup(dpath="source/license", within=config),
    message:
        "Creating the faces store."
    script:
        "../workflow_scripts/create_faces_store.py"


rule label_faces:
    """Write one shard of the faces store."""
    input:
        archive=ARCHIVE,
        index=rules.index_archive.output.index,
        root=rules.create_faces_store.output.root,
        arrays=rules.create_faces_store.output.arrays,
    output:
        image_id="results/faces/faces.zarr/image_id/c/{shard}/0",
        status="results/faces/faces.zarr/status/c/{shard}",
        segmentation="results/faces/faces.zarr/segmentation/c/{shard}/0/0",
        landmarks_70="results/faces/faces.zarr/landmarks_70/c/{shard}/0/0",
        landmarks_478="results/faces/faces.zarr/landmarks_478/c/{shard}/0/0",
        landmarks_478_status="results/faces/faces.zarr/landmarks_478_status/c/{shard}",
        manifest="results/faces/manifests/{shard}.json",
    log:
        "logs/label_faces/{shard}.log",
    benchmark:
        "benchmarks/label_faces/{shard}.tsv"
    conda:
        "../envs/labels.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        recipe=2,
        rows=get_rows,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        min_detection_confidence=lookup(dpath="labels/min_detection_confidence", within=config),
    message:
        "Labelling shard {wildcards.shard}."
    script:
        "../workflow_scripts/label_faces.py"


rule seal_faces:
    """Write the faces store's checksums and summary from its manifests."""
    input:
        root=rules.create_faces_store.output.root,
        arrays=rules.create_faces_store.output.arrays,
        manifests=collect(rules.label_faces.output.manifest, shard=SHARDS),
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
        mem_mb=1000,
        runtime=10,
    params:
        recipe=1,
        images=lookup(dpath="source/images", within=config),
    message:
        "Sealing the faces store."
    script:
        "../workflow_scripts/seal_faces.py"


rule verify_faces:
    """Reread every byte of the faces store."""
    input:
        sums=rules.seal_faces.output.sums,
        index=rules.index_archive.output.index,
        root=rules.create_faces_store.output.root,
        shards=collect(rules.label_faces.output, shard=SHARDS),
    output:
        report="results/faces/verified.json",
    log:
        "logs/verify_faces.log",
    benchmark:
        "benchmarks/verify_faces.tsv"
    conda:
        "../envs/store.yaml"
    threads: 4
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        recipe=1,
    message:
        "Verifying the faces store."
    script:
        "../workflow_scripts/verify_faces.py"
