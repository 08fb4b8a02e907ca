"""Classes of faces in sequences: expressions of people whom nobody has seen, and, where it is asked for, apparent sex.

On the way of `snakemake face_classification` alone.

NEEDS  results/sequences/sequences.zarr; labelled sets where face_classification.apparent_sex.sets names some; results of
       other runs where face_classification.elsewhere does
MAKES  results/face_classification/{attribute}/{regime}/{classifier}/seed{seed}/weights.pt and what is beside it
       results/face_classification/{attribute}/answers.csv      what every network and baseline answers for every clip
       results/face_classification/scores.csv, scores.json, index.html      scores with intervals, confusion matrices
"""


wildcard_constraints:
    attribute=one_of(PLAN.face_classification.attributes),
    classifier=one_of(PLAN.face_classification.classifiers),
    regime="synthetic|hybrid|real",
    seed=r"\d+",


rule train_classifier:
    """Train a network to tell classes of faces."""
    input:
        sequences=rules.seal_sequences.output.sums,
        sets=PLAN.face_classification.set_paths,
    output:
        weights="results/face_classification/{attribute}/{regime}/{classifier}/seed{seed}/weights.pt",
        provenance="results/face_classification/{attribute}/{regime}/{classifier}/seed{seed}/provenance.json",
        losses="results/face_classification/{attribute}/{regime}/{classifier}/seed{seed}/losses.csv",
        loss_figure=report(
            "results/face_classification/{attribute}/{regime}/{classifier}/seed{seed}/losses.png",
            category="Classification",
            labels={"network": "{attribute}, {classifier}, {regime}, seed {seed}", "figure": "loss"},
        ),
    log:
        "logs/train_classifier/{attribute}_{regime}_{classifier}_seed{seed}.log",
    benchmark:
        "benchmarks/train_classifier/{attribute}_{regime}_{classifier}_seed{seed}.tsv"
    conda:
        "../../envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(6000),
        runtime=minutes(720),
    params:
        recipe=1,
        settings=PLAN.face_classification.settings,
        division=PLAN.face_classification.division,
    message:
        "Training {wildcards.classifier} to tell {wildcards.attribute}, {wildcards.regime}, seed {wildcards.seed}."
    script:
        "../../workflow_scripts/studies/train_classifier.py"


rule score_classifiers:
    """Let the classifiers of an attribute and the baselines answer for people whom they have not seen."""
    input:
        weights=PLAN.face_classification.weights,
        sequences=rules.seal_sequences.output.sums,
        sets=PLAN.face_classification.set_paths,
        elsewhere=PLAN.face_classification.elsewhere_sums,
    output:
        answers="results/face_classification/{attribute}/answers.csv",
    log:
        "logs/score_classifiers/{attribute}.log",
    benchmark:
        "benchmarks/score_classifiers/{attribute}.tsv"
    conda:
        "../../envs/thermalizer.yaml"
    threads: 1
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(6000),
        runtime=minutes(240),
    params:
        recipe=1,
        runs=PLAN.face_classification.runs,
        regimes=PLAN.face_classification.regimes_of,
        division=PLAN.face_classification.division,
        elsewhere=PLAN.face_classification.elsewhere,
    message:
        "Scoring the classifiers of {wildcards.attribute}."
    script:
        "../../workflow_scripts/studies/score_classifiers.py"


rule compare_classifiers:
    """Lay the classifiers and the baselines side by side, with intervals over people."""
    input:
        answers=collect(rules.score_classifiers.output.answers, attribute=PLAN.face_classification.attributes),
        provenance=PLAN.face_classification.provenance,
    output:
        table=report("results/face_classification/scores.csv", category="Classification"),
        summary="results/face_classification/scores.json",
        page=report("results/face_classification/index.html", category="Classification"),
    log:
        "logs/compare_classifiers.log",
    benchmark:
        "benchmarks/compare_classifiers.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
        attributes=list(PLAN.face_classification.attributes),
        draws=lookup(dpath="face_classification/bootstrap_draws", within=config),
    message:
        "Comparing the classifiers."
    script:
        "../../workflow_scripts/studies/compare_classifiers.py"


rule face_classification:
    input:
        rules.compare_classifiers.output.page,
    message:
        "The classifiers are compared in {input}."
