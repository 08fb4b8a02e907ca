"""Verification and repair of a run's stores, by themselves: `snakemake verify`, `snakemake repair`.

NEEDS  nothing; both look at the sealed stores that are there, with the same config and directory as the run
MAKES  results/verified.json     what was read; and logs/verify_stores.csv, every file of every store and its state
       results/checked.csv       the same, and what was done about it; repair makes again exactly what it took away

The moment at which they are asked is among their params: each command looks anew.
"""

STORES = ["results/faces", "results/images", *collect("results/variants/{variant}", variant=VARIANTS)]


rule verify_stores:
    """Reread every byte of every sealed store."""
    output:
        report="results/verified.json",
    log:
        "logs/verify_stores.log",
        table="logs/verify_stores.csv",
    benchmark:
        "benchmarks/verify_stores.tsv"
    conda:
        "../envs/store.yaml"
    threads: 8
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(60),
    params:
        recipe=1,
        folders=STORES,
        asked=get_moment,
    message:
        "Verifying every store."
    script:
        "../workflow_scripts/stores/verify_stores.py"


# A checkpoint: what is to be made again is known when it has looked.
checkpoint repair_stores:
    """Reread every byte of every sealed store, and take away what is damaged."""
    output:
        table="results/checked.csv",
    log:
        "logs/repair_stores.log",
    benchmark:
        "benchmarks/repair_stores.tsv"
    conda:
        "../envs/store.yaml"
    threads: 8
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(60),
    params:
        recipe=1,
        folders=STORES,
        batched=collect("results/variants/{variant}", variant=THERMALIZED if SHARDS_PER_JOB > 1 else ()),
        asked=get_moment,
    message:
        "Looking for damage in every store."
    script:
        "../workflow_scripts/stores/repair_stores.py"


rule verify:
    input:
        rules.verify_stores.output.report,
    message:
        "Every byte of every store is what was sealed."


rule repair:
    input:
        get_repaired_stores,
    message:
        "Every store is whole again; results/checked.csv says what was at fault."
