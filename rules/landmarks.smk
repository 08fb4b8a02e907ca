"""Landmark networks: points with their own uncertainty, learnt from RGB and thermal faces; and label adapters.

On the way of `snakemake landmarks` and of the studies alone.

NEEDS  the source archive and its index, the faces store, the sealed thermal stores of landmarks.variants
MAKES  results/landmarks/{task}/weights.pt, provenance.json, losses.csv, losses.png, samples.png
       results/adapters/{adapter}/weights.pt    a network from one landmark set to another, for tfake.landmarks.adapters
       results/adapters/{adapter}/errors.json   its error on held-out faces, beside that of the plain mapping
"""


wildcard_constraints:
    task=one_of(PLAN.landmarks.tasks),
    adapter=one_of(PLAN.landmarks.adapters),


rule train_landmarker:
    """Train the landmark network of one task."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        encoder=PLAN.landmarks.encoder,
    output:
        weights="results/landmarks/{task}/weights.pt",
        provenance="results/landmarks/{task}/provenance.json",
        losses="results/landmarks/{task}/losses.csv",
        loss_figure=report(
            "results/landmarks/{task}/losses.png",
            category="Landmarks",
            labels={"task": "{task}", "figure": "loss"},
        ),
        sample_figure=report(
            "results/landmarks/{task}/samples.png",
            category="Landmarks",
            labels={"task": "{task}", "figure": "validation faces"},
        ),
    log:
        "logs/train_landmarker/{task}.log",
    benchmark:
        "benchmarks/train_landmarker/{task}.tsv"
    conda:
        "../envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(720),
    params:
        recipe=3,
        landmarks=PLAN.landmarks.points,
        variants=lookup(dpath="landmarks/variants", within=config),
        settings=PLAN.landmarks.settings,
    message:
        "Training the landmark network {wildcards.task}."
    script:
        "../workflow_scripts/landmarks/train_landmarker.py"


rule train_adapter:
    """Train a label adapter from one landmark set to another."""
    input:
        faces=rules.verify_faces.output.report,
    output:
        weights="results/adapters/{adapter}/weights.pt",
        errors="results/adapters/{adapter}/errors.json",
    log:
        "logs/train_adapter/{adapter}.log",
    benchmark:
        "benchmarks/train_adapter/{adapter}.tsv"
    conda:
        "../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        adapter="{adapter}",
        settings=PLAN.landmarks.adapter_settings,
    message:
        "Training the label adapter {wildcards.adapter}."
    script:
        "../workflow_scripts/landmarks/train_adapter.py"


rule landmarks:
    input:
        collect(rules.train_landmarker.output.weights, task=("joint_70", "joint_478")),
    message:
        "The landmark networks for 70 and 478 points are trained."
