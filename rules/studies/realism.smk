"""Thermal variants judged by real thermal images, and a network trained on each judged by real annotations.

On the way of `snakemake realism` alone.

NEEDS  results/faces, the thermal stores of realism.variants, verified; the folders that realism.real names (without one,
       the page says what to give) and realism.reference; for the networks, the test sets of evaluation.sets
MAKES  results/realism/real/{realset}/faces.npz, variants/{variant}/faces.npz, reference/faces.npz    faces on the mesh
       results/realism/variants/{variant}/joint_70/weights.pt, …    the network trained on that variant alone
       results/realism/variants/{variant}/{testset}/scores.json, …  its scores on an annotated set
       results/realism/figures.json, scores.csv, index.html         all figures, and the page
"""


wildcard_constraints:
    realset=one_of(PLAN.realism.real),


rule collect_real_faces:
    """Put the faces of a folder of real images on the mesh."""
    input:
        files=PLAN.realism.real_files,
    output:
        faces="results/realism/real/{realset}/faces.npz",
    log:
        "logs/collect_real_faces/{realset}.log",
    benchmark:
        "benchmarks/collect_real_faces/{realset}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        settings=PLAN.realism.real_settings,
        most_faces=lookup(dpath="realism/most_faces", within=config),
    message:
        "Reading the real faces of {wildcards.realset}."
    script:
        "../../workflow_scripts/studies/collect_real_faces.py"


rule collect_variant_faces:
    """Put the faces of a variant on the mesh."""
    input:
        thermal="results/variants/{variant}/verified.json",
        faces=rules.verify_faces.output.report,
    output:
        faces="results/realism/variants/{variant}/faces.npz",
    log:
        "logs/collect_variant_faces/{variant}.log",
    benchmark:
        "benchmarks/collect_variant_faces/{variant}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        most_faces=lookup(dpath="realism/most_faces", within=config),
    message:
        "Reading the faces of the variant {wildcards.variant}."
    script:
        "../../workflow_scripts/studies/collect_variant_faces.py"


rule collect_reference_faces:
    """Put published synthetic faces on the mesh."""
    input:
        folder=PLAN.realism.reference,
        faces=rules.verify_faces.output.report,
    output:
        faces="results/realism/reference/faces.npz",
    log:
        "logs/collect_reference_faces.log",
    benchmark:
        "benchmarks/collect_reference_faces.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
    message:
        "Reading the published faces."
    script:
        "../../workflow_scripts/studies/collect_reference_faces.py"


rule measure_realism:
    """Compare every set of faces with every real one."""
    input:
        real=collect(rules.collect_real_faces.output.faces, realset=PLAN.realism.real),
        variants=collect(rules.collect_variant_faces.output.faces, variant=PLAN.realism.variants),
        reference=[rules.collect_reference_faces.output.faces] if PLAN.realism.reference else [],
    output:
        figures="results/realism/figures.json",
    log:
        "logs/measure_realism.log",
    benchmark:
        "benchmarks/measure_realism.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(4000),
        runtime=minutes(120),
    params:
        recipe=1,
        seed=lookup(dpath="realism/seed", within=config),
    message:
        "Comparing {input.variants} with real faces."
    script:
        "../../workflow_scripts/studies/measure_realism.py"


use rule train_landmarker as train_realism_landmarker with:
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=PLAN.realism.sums,
        encoder=PLAN.landmarks.encoder,
        real=[],
        others=[],
        initial=[],
    output:
        weights="results/realism/variants/{variant}/{task}/weights.pt",
        provenance="results/realism/variants/{variant}/{task}/provenance.json",
        losses="results/realism/variants/{variant}/{task}/losses.csv",
        loss_figure="results/realism/variants/{variant}/{task}/losses.png",
        sample_figure="results/realism/variants/{variant}/{task}/samples.png",
    log:
        "logs/realism/train_landmarker/{variant}/{task}.log",
    benchmark:
        "benchmarks/realism/train_landmarker/{variant}/{task}.tsv"
    params:
        recipe=rules.train_landmarker.params.recipe,
        landmarks=PLAN.landmarks.points,
        variants=PLAN.realism.trained_on,
        settings=PLAN.landmarks.settings,
        real=[],
        others={},
    message:
        "Training the landmark network {wildcards.task} on {wildcards.variant} alone."


use rule evaluate_test_set as evaluate_realism_landmarker with:
    input:
        data=PLAN.test_sets.files,
        weights=PLAN.realism.weights,
    output:
        scores="results/realism/variants/{variant}/{testset}/scores.json",
        faces="results/realism/variants/{variant}/{testset}/faces.csv",
        account="results/realism/variants/{variant}/{testset}/account.csv",
    log:
        "logs/realism/evaluate_landmarker/{variant}/{testset}.log",
    benchmark:
        "benchmarks/realism/evaluate_landmarker/{variant}/{testset}.tsv"
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(240),
    params:
        recipe=rules.evaluate_test_set.params.recipe,
        kind=lookup(dpath="evaluation/sets/{testset}/kind", within=config),
        path=PLAN.test_sets.path,
        image_values=PLAN.test_sets.values,
        landmarkers=PLAN.realism.landmarkers,
        facemesh=False,
        adapt=False,
        most_images=lookup(dpath="evaluation/most_images", within=config),
        smallest_share=lookup(dpath="evaluation/smallest_share", within=config),
        least_overlap=lookup(dpath="evaluation/least_overlap", within=config),
        failure_above=lookup(dpath="evaluation/failure_above", within=config),
        high_above_pixels=lookup(dpath="evaluation/high_above_pixels", within=config),
    message:
        "Scoring the network that learnt from {wildcards.variant} on {wildcards.testset}."


rule compare_realism:
    """Write the page of the realism study."""
    input:
        figures=rules.measure_realism.output.figures,
        faces=[
            rules.measure_realism.input.real,
            rules.measure_realism.input.variants,
            rules.measure_realism.input.reference,
        ],
        scores=collect(
            rules.evaluate_realism_landmarker.output.scores,
            variant=PLAN.realism.trained,
            testset=PLAN.realism.scored,
        ),
    output:
        page=report("results/realism/index.html", category="Realism"),
        table=report("results/realism/scores.csv", category="Realism"),
    log:
        "logs/compare_realism.log",
    benchmark:
        "benchmarks/compare_realism.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
        missing=PLAN.realism.missing,
        tstr=lookup(dpath="realism/tstr", within=config),
    message:
        "Laying variants and real faces side by side."
    script:
        "../../workflow_scripts/studies/compare_realism.py"


rule realism:
    input:
        rules.compare_realism.output.page,
        rules.compare_realism.output.table,
    message:
        "Variants are judged by real faces in {input[0]}."
