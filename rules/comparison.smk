"""What two datasets differ in; on the way of `snakemake compare` alone. `python -m tfake.compare A B` prints the same.

NEEDS  compare: two folders of results, or published datasets; they are read as they are, nothing in them is made anew
MAKES  results/comparison.md
"""


rule compare_datasets:
    """Write down what two datasets differ in."""
    output:
        page="results/comparison.md",
    log:
        "logs/compare_datasets.log",
    benchmark:
        "benchmarks/compare_datasets.tsv"
    localrule: True
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(10),
    params:
        recipe=1,
        folders=get_compared_folders,
        seals=get_seals,
    message:
        "Comparing {params.folders}."
    script:
        "../workflow_scripts/products/compare_datasets.py"


rule compare:
    input:
        rules.compare_datasets.output.page,
    message:
        "The two datasets are compared in {input}."
