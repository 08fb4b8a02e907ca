"""What an RGB network knows, taught to thermal ones: arms of the terms, from one teacher and over a level between.

On the way of `snakemake distillation` alone.

NEEDS  what landmark networks learn from, with a visible image of each face; annotated sets that evaluation.sets names
MAKES  results/distillation/teacher/{task}/                              a network that learnt from RGB alone
       results/distillation/{student}/{route}/{lesson}/{seed}/{task}/    a student, as in rules/landmarks.smk
       …/scores.json, points.npz, samples_scored.png                     its scores on other people, rooms and cameras
       …/sets/{testset}/scores.json, faces.csv, account.csv              its scores on an annotated set
       results/distillation/scores.csv, summary.json, index.html         the comparison
"""


wildcard_constraints:
    student=one_of(PLAN.distillation.students),
    route=one_of(PLAN.distillation.routes),
    lesson=one_of(PLAN.distillation.arms),


use rule train_landmarker as train_teacher with:
    output:
        weights="results/distillation/teacher/{task}/weights.pt",
        provenance="results/distillation/teacher/{task}/provenance.json",
        losses="results/distillation/teacher/{task}/losses.csv",
        loss_figure="results/distillation/teacher/{task}/losses.png",
        sample_figure="results/distillation/teacher/{task}/samples.png",
    log:
        "logs/distillation/train_teacher/{task}.log",
    benchmark:
        "benchmarks/distillation/train_teacher/{task}.tsv"
    params:
        recipe=rules.train_landmarker.params.recipe,
        settings=PLAN.distillation.teacher_settings,
    message:
        "Training the teacher {wildcards.task}."


use rule train_landmarker as train_student with:
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        encoder=PLAN.landmarks.encoder,
        initial=[],
        real=lambda wildcards: collect(rules.label_real_faces.output.faces, real=PLAN.landmarks.real_of(wildcards)),
        others=PLAN.landmarks.other_sums,
        teacher=PLAN.distillation.teacher,
    output:
        weights="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/weights.pt",
        provenance="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/provenance.json",
        losses="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/losses.csv",
        loss_figure="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/losses.png",
        sample_figure="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/samples.png",
    log:
        "logs/distillation/train_student/{student}/{route}/{lesson}/{seed}/{task}.log",
    benchmark:
        "benchmarks/distillation/train_student/{student}/{route}/{lesson}/{seed}/{task}.tsv"
    params:
        recipe=rules.train_landmarker.params.recipe,
        settings=PLAN.distillation.settings,
        distillation=PLAN.distillation.lesson,
    message:
        "Training {wildcards.student} by {wildcards.lesson}, {wildcards.route}, seed {wildcards.seed}."


use rule evaluate_landmarker as evaluate_student with:
    input:
        weights=rules.train_student.output.weights,
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        people=rules.render_people.output.faces,
        people_index=rules.index_people.output.index,
        people_truth=rules.render_people_truth.output.truth,
    output:
        scores="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/scores.json",
        points="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/points.npz",
        figure="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/samples_scored.png",
    log:
        "logs/distillation/evaluate_student/{student}/{route}/{lesson}/{seed}/{task}.log",
    benchmark:
        "benchmarks/distillation/evaluate_student/{student}/{route}/{lesson}/{seed}/{task}.tsv"
    message:
        "Scoring {wildcards.student} by {wildcards.lesson}, {wildcards.route}, seed {wildcards.seed}."


use rule evaluate_test_set as evaluate_student_on_set with:
    input:
        data=PLAN.test_sets.files,
        weights=PLAN.distillation.weights,
    output:
        scores="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/sets/{testset}/scores.json",
        faces="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/sets/{testset}/faces.csv",
        account="results/distillation/{student}/{route}/{lesson}/{seed}/{task}/sets/{testset}/account.csv",
    log:
        "logs/distillation/evaluate_student_on_set/{student}/{route}/{lesson}/{seed}/{task}/{testset}.log",
    benchmark:
        "benchmarks/distillation/evaluate_student_on_set/{student}/{route}/{lesson}/{seed}/{task}/{testset}.tsv"
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(240),
    params:
        recipe=rules.evaluate_test_set.params.recipe,
        landmarkers=PLAN.distillation.landmarkers,
        facemesh=False,
        adapt=False,
    message:
        "Scoring {wildcards.student} by {wildcards.lesson}, {wildcards.route}, seed {wildcards.seed}, on {wildcards.testset}."


rule compare_students:
    """Lay the arms and the routes to small students side by side."""
    input:
        scores=PLAN.distillation.files("scores.json"),
        provenance=PLAN.distillation.files("provenance.json"),
        losses=PLAN.distillation.files("losses.csv"),
        set_scores=PLAN.distillation.set_files("scores.json"),
        teacher=f"results/distillation/teacher/{PLAN.distillation.teacher_task}/provenance.json",
    output:
        table=report("results/distillation/scores.csv", category="Landmarks"),
        summary="results/distillation/summary.json",
        page=report("results/distillation/index.html", category="Landmarks"),
    log:
        "logs/compare_students.log",
    benchmark:
        "benchmarks/compare_students.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
        runs=PLAN.distillation.described,
        sets=list(PLAN.distillation.sets),
        baseline=PLAN.distillation.baseline,
        ambient_celsius=lookup(dpath="landmark_study/ambient_celsius", within=config),
    message:
        "Comparing the students."
    script:
        "../../workflow_scripts/studies/compare_students.py"


rule distillation:
    input:
        rules.compare_students.output.page,
    message:
        "What was taught is compared in {input}."
