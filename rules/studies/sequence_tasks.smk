"""The landmarker on sequences of procedural people: faces found and followed, points, and the breathing rate.

On the way of `snakemake sequence_tasks` alone.

NEEDS  results/sequences; sequence_tasks.weights where they are not the package's own
MAKES  results/sequence_tasks/people/{person}.json, scenes.json       what came of each sequence and scene
       results/sequence_tasks/sequences.csv, scenes.csv, breathing.csv    a row a sequence or scene
       results/sequence_tasks/summary.json, index.html                   totals with intervals, and the page
"""


rule follow_sequences:
    """Look at the sequences of one person, frame by frame and as videos."""
    input:
        report=rules.verify_sequences.output.report,
        sums=rules.seal_sequences.output.sums,
        weights=PLAN.sequence_tasks.weights_files,
    output:
        records="results/sequence_tasks/people/{person}.json",
    log:
        "logs/follow_sequences/{person}.log",
    benchmark:
        "benchmarks/follow_sequences/{person}.tsv"
    wildcard_constraints:
        person=r"s\d+",
    conda:
        "../../envs/thermalizer.yaml"
    threads: 1
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(120),
    params:
        recipe=1,
        weights=lookup(dpath="sequence_tasks/weights", within=config),
    message:
        "Following {wildcards.person} through the sequences."
    script:
        "../../workflow_scripts/studies/follow_sequences.py"


rule follow_scenes:
    """Follow people who pass in front of one another."""
    input:
        report=rules.verify_sequences.output.report,
        sums=rules.seal_sequences.output.sums,
        weights=PLAN.sequence_tasks.weights_files,
    output:
        records="results/sequence_tasks/scenes.json",
    log:
        "logs/follow_scenes.log",
    benchmark:
        "benchmarks/follow_scenes.tsv"
    conda:
        "../../envs/thermalizer.yaml"
    threads: 1
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(120),
    params:
        recipe=1,
        weights=lookup(dpath="sequence_tasks/weights", within=config),
        crossings=PLAN.sequence_tasks.crossings,
    message:
        "Following people who pass in front of one another."
    script:
        "../../workflow_scripts/studies/follow_scenes.py"


rule describe_sequence_tasks:
    """Put what came of the sequences and scenes into tables, totals and a page."""
    input:
        records=PLAN.sequence_tasks.records,
        scenes=[rules.follow_scenes.output.records] if PLAN.sequence_tasks.has_scenes else [],
    output:
        tables=report(
            collect("results/sequence_tasks/{table}.csv", table=["sequences", "scenes", "breathing"]),
            category="Sequences",
        ),
        summary="results/sequence_tasks/summary.json",
        page=report("results/sequence_tasks/index.html", category="Sequences"),
    log:
        "logs/describe_sequence_tasks.log",
    benchmark:
        "benchmarks/describe_sequence_tasks.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
        draws=lookup(dpath="sequence_tasks/interval_draws", within=config),
        seed=lookup(dpath="sequence_tasks/seed", within=config),
        weights=lookup(dpath="sequence_tasks/weights", within=config),
    message:
        "Describing what the landmarker does on sequences."
    script:
        "../../workflow_scripts/studies/describe_sequence_tasks.py"


rule sequence_tasks:
    input:
        rules.describe_sequence_tasks.output.page,
    message:
        "What the landmarker does on sequences is in {input}."
