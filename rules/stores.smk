"""What all stores have in common: metadata first, checksums last, and the proof that the bytes are those.

The three rules here are never run as they stand; each store's own rules are derived from them and say what it is made
from: rules/source.smk, rules/faces.smk, rules/variants.smk. What a store holds is told by its kind
(workflow_scripts/tfake/variants/kinds.py).

NEEDS  the manifests of the store's shards
MAKES  {folder}/{store}.zarr/**/zarr.json
       {folder}/SHA256SUMS, summary.json, verified.json
"""


rule create_store:
    """Write the metadata of a store."""
    output:
        root="{folder}/{store}.zarr/zarr.json",
    log:
        "logs/create_store/{folder}/{store}.log",
    benchmark:
        "benchmarks/create_store/{folder}/{store}.tsv"
    wildcard_constraints:
        folder=one_of([]),
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        shard_images=lookup(dpath="store/shard_images", within=config),
    message:
        "Creating {output.root}."
    script:
        "../workflow_scripts/stores/create_store.py"


rule seal_store:
    """Write a store's checksums and summary from its manifests."""
    output:
        sums="{folder}/SHA256SUMS",
        summary="{folder}/summary.json",
    log:
        "logs/seal_store/{folder}.log",
    benchmark:
        "benchmarks/seal_store/{folder}.tsv"
    wildcard_constraints:
        folder=one_of([]),
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
    message:
        "Listing the checksums in {output.sums}."
    script:
        "../workflow_scripts/stores/seal_store.py"


rule verify_store:
    """Reread every byte of a store."""
    output:
        report="{folder}/verified.json",
    log:
        "logs/verify_store/{folder}.log",
        table="logs/verify_store/{folder}.csv",
    benchmark:
        "benchmarks/verify_store/{folder}.tsv"
    wildcard_constraints:
        folder=one_of([]),
    conda:
        "../envs/store.yaml"
    threads: 4
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
    message:
        "Verifying a store: {output.report}."
    script:
        "../workflow_scripts/stores/verify_store.py"
