"""Sequences of procedural people: one person a sequence through time, with exact motion, labels and temperatures.

On the way of `snakemake sequences` alone. A sequence is a job and a shard; nothing is read but the config.

NEEDS  the section sequences of the config
MAKES  results/sequences/sequences.zarr              thermal, rgb, segmentation, points; who, what and when of each frame
       results/sequences/manifests/{shard}.json
       results/sequences/SHA256SUMS, summary.json, verified.json
       results/sequences/exports/{format}/SHA256SUMS  video, mot or coco
       results/sequences/page/index.html           the page: films, curves, failures; data/ and films/ beside it
"""


use rule create_store as create_sequences_store with:
    output:
        root="results/sequences/sequences.zarr/zarr.json",
        arrays=KINDS["sequences"].metadata_files("results/sequences"),
    log:
        "logs/create_sequences_store.log",
    benchmark:
        "benchmarks/create_sequences_store.tsv"
    params:
        recipe=1,
        shard_images=PLAN.sequences.frames,
        settings=PLAN.sequences.settings,
        sequences=PLAN.sequences.sequences,
    message:
        "Creating the store of the sequences."


rule render_sequence:
    """Render a sequence and write its shard."""
    input:
        root=rules.create_sequences_store.output.root,
        arrays=rules.create_sequences_store.output.arrays,
    output:
        **KINDS["sequences"].shard_files("results/sequences"),
        manifest="results/sequences/manifests/{shard}.json",
    log:
        "logs/render_sequence/{shard}.log",
    benchmark:
        "benchmarks/render_sequence/{shard}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(120),
    params:
        recipe=rules.create_sequences_store.params.recipe,
        rows=PLAN.sequences.shard_rows,
        sequence=PLAN.sequences.sequence,
        settings=PLAN.sequences.settings,
    message:
        "Rendering the sequence {params.sequence}."
    script:
        "../workflow_scripts/sequences/render_sequence.py"


use rule seal_store as seal_sequences with:
    input:
        root=rules.create_sequences_store.output.root,
        arrays=rules.create_sequences_store.output.arrays,
        manifests=PLAN.sequences.manifests,
    output:
        sums="results/sequences/SHA256SUMS",
        summary="results/sequences/summary.json",
    log:
        "logs/seal_sequences.log",
    benchmark:
        "benchmarks/seal_sequences.tsv"
    params:
        recipe=rules.seal_store.params.recipe,
        rows=PLAN.sequences.rows,
    message:
        "Listing the checksums of the sequences."


use rule verify_store as verify_sequences with:
    input:
        sums=rules.seal_sequences.output.sums,
        root=rules.create_sequences_store.output.root,
    output:
        report="results/sequences/verified.json",
    log:
        "logs/verify_sequences.log",
        table="logs/verify_sequences.csv",
    benchmark:
        "benchmarks/verify_sequences.tsv"
    message:
        "Verifying the sequences."


rule export_sequences:
    """Export the sequences to another format."""
    input:
        report=rules.verify_sequences.output.report,
        sums=rules.seal_sequences.output.sums,
    output:
        sums="results/sequences/exports/{format}/SHA256SUMS",
    log:
        "logs/export_sequences/{format}.log",
    benchmark:
        "benchmarks/export_sequences/{format}.tsv"
    wildcard_constraints:
        format="video|mot|coco",
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(240),
    params:
        recipe=1,
    message:
        "Exporting the sequences as {wildcards.format}."
    script:
        "../workflow_scripts/sequences/export_sequences.py"


rule build_sequence_page:
    """Build the page of the sequences: players, curves, failures."""
    input:
        report=rules.verify_sequences.output.report,
        sums=rules.seal_sequences.output.sums,
    output:
        page=report(
            "results/sequences/page/index.html",
            caption="../docs/captions/sequences.rst",
            category="Sequences",
            labels={"figure": "the sequences"},
        ),
        data=directory("results/sequences/page/data"),
        films=directory("results/sequences/page/films"),
    log:
        "logs/build_sequence_page.log",
    benchmark:
        "benchmarks/build_sequence_page.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(120),
    params:
        recipe=1,
        most=lookup(dpath="sequences/page_sequences", within=config),
    message:
        "Building the page of the sequences."
    script:
        "../workflow_scripts/sequences/build_sequence_page.py"


rule sequences:
    input:
        rules.verify_sequences.output.report,
        rules.build_sequence_page.output.page,
        collect(rules.export_sequences.output.sums, format=PLAN.sequences.formats),
    message:
        "The sequences are verified, and shown in {input[1]}."
