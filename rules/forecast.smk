"""What a run will cost in time and disk, before it is made: `snakemake forecast`.

NEEDS  the first shard of each store, which it makes; nothing where forecast.runs names runs that have been made
MAKES  results/forecast.md    a table by stage: jobs, CPU time, wall time on the cores that are given, disk
"""


rule forecast_run:
    """Forecast what is left of the run, from what was measured."""
    input:
        get_first_shards,
    output:
        page="results/forecast.md",
    log:
        "logs/forecast_run.log",
    benchmark:
        "benchmarks/forecast_run.tsv"
    localrule: True
    conda:
        "../envs/store.yaml"
    # All that are given: it is for them that it tells.
    threads: 10000
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(10),
    params:
        recipe=1,
        rule_threads=get_rule_threads,
        gpu_rules=get_gpu_rules,
        asked=get_moment,
    message:
        "Forecasting what the run will cost."
    script:
        "../workflow_scripts/products/forecast_run.py"


rule forecast:
    input:
        rules.forecast_run.output.page,
    message:
        "What the run will cost is in results/forecast.md."
