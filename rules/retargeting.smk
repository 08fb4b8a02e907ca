"""Stills in motion: faces of the source, warped through time by motion curves or by the films of other faces.

On the way of `snakemake retargeting` alone. A sequence is a job and a shard.

NEEDS  the faces store and a variant, sealed; the archive or the decoded images; films, where drivers name them
MAKES  results/retargeting/labels.json                how far FaceMesh agrees with the labels, on the stills and after
       results/retargeting/drivers/{driver}.npz       FaceMesh's points in each frame of a film
       results/retargeting/sequences/sequences.zarr   as results/sequences/sequences.zarr, and a status of each frame
       results/retargeting/sequences/manifests/{shard}.json
       results/retargeting/sequences/SHA256SUMS, summary.json, verified.json
       results/retargeting/exports/{format}/SHA256SUMS
"""


wildcard_constraints:
    driver=one_of(PLAN.retargeting.drivers),


rule track_driver:
    """Find the face's points in each frame of a film."""
    input:
        film=PLAN.retargeting.film,
    output:
        meshes="results/retargeting/drivers/{driver}.npz",
    log:
        "logs/track_driver/{driver}.log",
    benchmark:
        "benchmarks/track_driver/{driver}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(120),
    params:
        recipe=1,
        min_detection_confidence=lookup(dpath="labels/min_detection_confidence", within=config),
    message:
        "Looking for a face in each frame of {input.film}."
    script:
        "../workflow_scripts/retargeting/track_driver.py"


use rule create_store as create_retargeting_store with:
    input:
        thermal_root=PLAN.retargeting.thermal_root,
        thermal_sums=PLAN.retargeting.thermal_sums,
        films=PLAN.retargeting.films,
    output:
        root="results/retargeting/sequences/sequences.zarr/zarr.json",
        arrays=KINDS["retargeted"].metadata_files("results/retargeting/sequences"),
    log:
        "logs/create_retargeting_store.log",
    benchmark:
        "benchmarks/create_retargeting_store.tsv"
    params:
        recipe=1,
        shard_images=PLAN.retargeting.frames,
        settings=PLAN.retargeting.settings,
        sequences=PLAN.retargeting.all_sequences,
        variant=PLAN.retargeting.variant_of,
    message:
        "Creating the store of the stills in motion."


rule retarget_face:
    """Set a still in motion and write its shard."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.retargeting.decoded,
        index=rules.index_archive.output.index,
        root=rules.create_retargeting_store.output.root,
        arrays=rules.create_retargeting_store.output.arrays,
        faces_root=rules.create_faces_store.output.root,
        faces_sums=rules.seal_faces.output.sums,
        thermal_root=PLAN.retargeting.thermal_root,
        thermal_sums=PLAN.retargeting.thermal_sums,
        film=PLAN.retargeting.film_motion,
        film_file=PLAN.retargeting.film_file,
    output:
        **KINDS["retargeted"].shard_files("results/retargeting/sequences"),
        manifest="results/retargeting/sequences/manifests/{shard}.json",
    log:
        "logs/retarget_face/{shard}.log",
    benchmark:
        "benchmarks/retarget_face/{shard}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        # LivePortrait is a program with networks of its own, and holds the whole film.
        **(NETWORK_DEVICE if PLAN.retargeting.paints else {}),
        mem_mb=memory_mb(8000 if PLAN.retargeting.paints else 2000),
        runtime=minutes(120),
    params:
        recipe=rules.create_retargeting_store.params.recipe,
        rows=PLAN.retargeting.shard_rows,
        sequence=PLAN.retargeting.sequence,
        settings=PLAN.retargeting.settings,
    message:
        "Setting a still in motion: {params.sequence}."
    script:
        "../workflow_scripts/retargeting/retarget_face.py"


use rule seal_store as seal_retargeting with:
    input:
        root=rules.create_retargeting_store.output.root,
        arrays=rules.create_retargeting_store.output.arrays,
        manifests=PLAN.retargeting.manifests,
    output:
        sums="results/retargeting/sequences/SHA256SUMS",
        summary="results/retargeting/sequences/summary.json",
    log:
        "logs/seal_retargeting.log",
    benchmark:
        "benchmarks/seal_retargeting.tsv"
    params:
        recipe=rules.seal_store.params.recipe,
        rows=PLAN.retargeting.rows,
    message:
        "Listing the checksums of the stills in motion."


use rule verify_store as verify_retargeting with:
    input:
        sums=rules.seal_retargeting.output.sums,
        root=rules.create_retargeting_store.output.root,
    output:
        report="results/retargeting/sequences/verified.json",
    log:
        "logs/verify_retargeting.log",
        table="logs/verify_retargeting.csv",
    benchmark:
        "benchmarks/verify_retargeting.tsv"
    message:
        "Verifying the stills in motion."


rule check_retargeting:
    """Compare FaceMesh's points of the moved pictures with their labels."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.retargeting.all_decoded,
        index=rules.index_archive.output.index,
        faces_root=rules.create_faces_store.output.root,
        faces_sums=rules.seal_faces.output.sums,
        root=rules.create_retargeting_store.output.root,
        report=rules.verify_retargeting.output.report,
    output:
        figures="results/retargeting/labels.json",
    log:
        "logs/check_retargeting.log",
    benchmark:
        "benchmarks/check_retargeting.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(480),
    params:
        recipe=1,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        min_detection_confidence=lookup(dpath="labels/min_detection_confidence", within=config),
    message:
        "Comparing FaceMesh's points of the moved pictures with their labels."
    script:
        "../workflow_scripts/retargeting/check_retargeting.py"


use rule export_sequences as export_retargeting with:
    input:
        report=rules.verify_retargeting.output.report,
        sums=rules.seal_retargeting.output.sums,
    output:
        sums="results/retargeting/exports/{format}/SHA256SUMS",
    log:
        "logs/export_retargeting/{format}.log",
    benchmark:
        "benchmarks/export_retargeting/{format}.tsv"
    message:
        "Exporting the stills in motion as {wildcards.format}."


rule retargeting:
    input:
        rules.verify_retargeting.output.report,
        rules.check_retargeting.output.figures,
        collect(rules.export_retargeting.output.sums, format=PLAN.retargeting.formats),
    message:
        "The stills in motion are verified: {input[0]}."
