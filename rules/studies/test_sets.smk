"""Landmarks against annotations that people made, and against the workflow's own.

NEEDS  the folders that evaluation.sets names; without one, the result says what to ask for and where to put it
       for sets of the kinds variant_70 and variant_478: that variant, verified
MAKES  results/evaluation/{testset}/scores.json    figures of every method, and what became of the set's rows
       results/evaluation/{testset}/faces.csv      every face with every method's error
       results/evaluation/{testset}/account.csv    every fault of the set, by row
       results/evaluation/index.html, scores.csv   all of it side by side
"""


wildcard_constraints:
    testset=one_of(PLAN.test_sets.names),


rule evaluate_test_set:
    """Score landmarkers and baselines on one annotated test set."""
    input:
        data=PLAN.test_sets.files,
        weights=list(PLAN.test_sets.landmarkers.values()),
    output:
        scores="results/evaluation/{testset}/scores.json",
        faces="results/evaluation/{testset}/faces.csv",
        account=report("results/evaluation/{testset}/account.csv", category="Landmarks"),
    log:
        "logs/evaluate_test_set/{testset}.log",
    benchmark:
        "benchmarks/evaluate_test_set/{testset}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: NETWORK_THREADS
    resources:
        **(NETWORK_DEVICE if PLAN.test_sets.landmarkers else {}),
        mem_mb=memory_mb(4000),
        runtime=minutes(240),
    params:
        # Points between pixels are points; an image is the one that is named, or none.
        recipe=2,
        kind=lookup(dpath="evaluation/sets/{testset}/kind", within=config),
        path=PLAN.test_sets.path,
        image_values=PLAN.test_sets.values,
        landmarkers=PLAN.test_sets.landmarkers,
        facemesh=lookup(dpath="evaluation/facemesh", within=config),
        adapt=lookup(dpath="evaluation/adapt", within=config),
        most_images=lookup(dpath="evaluation/most_images", within=config),
        smallest_share=lookup(dpath="evaluation/smallest_share", within=config),
        least_overlap=lookup(dpath="evaluation/least_overlap", within=config),
        failure_above=lookup(dpath="evaluation/failure_above", within=config),
        high_above_pixels=lookup(dpath="evaluation/high_above_pixels", within=config),
    message:
        "Scoring landmarks on {wildcards.testset}."
    script:
        "../../workflow_scripts/studies/evaluate_test_set.py"


rule compare_test_sets:
    """Lay the scores of all test sets side by side, with what was published."""
    input:
        scores=collect(rules.evaluate_test_set.output.scores, testset=PLAN.test_sets.names),
        faces=collect(rules.evaluate_test_set.output.faces, testset=PLAN.test_sets.names),
    output:
        page=report("results/evaluation/index.html", category="Landmarks"),
        table=report("results/evaluation/scores.csv", category="Landmarks"),
    log:
        "logs/compare_test_sets.log",
    benchmark:
        "benchmarks/compare_test_sets.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
        failure_above=lookup(dpath="evaluation/failure_above", within=config),
    message:
        "Comparing landmarkers; sets that are not there are listed on the page with where to ask for them."
    script:
        "../../workflow_scripts/studies/compare_test_sets.py"


rule landmark_evaluation:
    input:
        page=rules.compare_test_sets.output.page,
        adapters=collect(rules.train_adapter.output.errors, adapter=PLAN.landmarks.adapters),
    message:
        "Landmarks are compared in {input.page}."
