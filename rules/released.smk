"""Thermalizers that were trained elsewhere, taken instead of training.

NEEDS  thermalizers.{condition}: a path or a URL, and the file's SHA-256
MAKES  resources/weights/{condition}.pt                                  downloaded, if it has a URL
       results/thermalizers/{condition}/weights.pt, provenance.json      as a training of this workflow would leave them
"""


rule download_weights:
    """Download a trained thermalizer and hold it to its SHA-256."""
    output:
        weights="resources/weights/{condition}.pt",
    log:
        "logs/download_weights/{condition}.log",
    benchmark:
        "benchmarks/download_weights/{condition}.tsv"
    wildcard_constraints:
        condition=one_of(RELEASED),
    retries: 2
    localrule: True
    conda:
        "../envs/acquisition.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(60),
    params:
        recipe=1,
        url=lookup(dpath="thermalizers/{condition}/weights", within=config),
        sha256=lookup(dpath="thermalizers/{condition}/sha256", within=config),
    message:
        "Downloading the thermalizer for {wildcards.condition}."
    script:
        "../workflow_scripts/thermalizers/download_weights.py"


rule import_thermalizer:
    """Turn weights that were trained elsewhere into this workflow's own file."""
    input:
        weights=get_released_weights,
    output:
        weights="results/thermalizers/{condition}/weights.pt",
        provenance="results/thermalizers/{condition}/provenance.json",
    log:
        "logs/import_thermalizer/{condition}.log",
    benchmark:
        "benchmarks/import_thermalizer/{condition}.tsv"
    wildcard_constraints:
        condition=one_of(RELEASED),
    conda:
        "../envs/thermalizer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(10),
    params:
        recipe=1,
        sha256=lookup(dpath="thermalizers/{condition}/sha256", within=config),
    message:
        "Taking the thermalizer for {wildcards.condition} from {input.weights}."
    script:
        "../workflow_scripts/thermalizers/import_thermalizer.py"
