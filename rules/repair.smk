"""Repair: what does not agree with its checksums is taken away, and made again by the next run.

NEEDS  nothing; it looks at the sealed stores that are there
MAKES  results/checked.csv      every file of every store, its state, and what was done about it

`make repair`, or `snakemake --forcerun repair_stores -- repair_stores` and then the usual command.
"""


rule repair_stores:
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
        folders=["results/faces", "results/images", *collect("results/variants/{variant}", variant=VARIANTS)],
        batched=collect("results/variants/{variant}", variant=THERMALIZED if SHARDS_PER_JOB > 1 else ()),
    message:
        "Looking for damage in every store."
    script:
        "../workflow_scripts/repair_stores.py"
