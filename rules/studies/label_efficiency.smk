"""How many labels a beginning saves: landmark networks fine-tuned with few labels from pretrained encoders, and from nothing.

On the way of `snakemake label_efficiency` alone.

NEEDS  results/pretraining/{pretext}/encoder.pt and what landmark networks are trained on; other people, of landmark_study.smk;
       annotated sets where label_efficiency.sets names some
MAKES  results/label_efficiency/runs/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}/weights.pt and what is beside it
       results/label_efficiency/scores.csv      every network on every set
       results/label_efficiency/curves.csv, index.html      error against the number of labels, and the labels that a method needs
"""


wildcard_constraints:
    method=one_of(PLAN.label_efficiency.methods),
    mode="full|frozen",
    budget="equal|tuned",
    labels=one_of(PLAN.label_efficiency.labels),
    draw=r"\d+",
    seed=r"\d+",


use rule train_landmarker as finetune_landmarker with:
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        encoder=[],
        real=[],
        others=[],
        initial=PLAN.label_efficiency.initial,
    output:
        weights="results/label_efficiency/runs/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}/weights.pt",
        provenance="results/label_efficiency/runs/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}/provenance.json",
        losses="results/label_efficiency/runs/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}/losses.csv",
        loss_figure="results/label_efficiency/runs/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}/losses.png",
        sample_figure="results/label_efficiency/runs/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}/samples.png",
    log:
        "logs/label_efficiency/finetune_landmarker/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}.log",
    benchmark:
        "benchmarks/label_efficiency/finetune_landmarker/{method}/{mode}_{budget}/{labels}/draw{draw}_seed{seed}/{task}.tsv"
    params:
        recipe=rules.train_landmarker.params.recipe,
        landmarks=PLAN.landmarks.points,
        variants=lookup(dpath="landmarks/variants", within=config),
        settings=PLAN.label_efficiency.settings,
        others={},
        real=[],
        real_validation_share=0.0,
        labels=PLAN.label_efficiency.labelled,
        is_frozen=PLAN.label_efficiency.is_frozen,
    message:
        "Fine-tuning {wildcards.method}, {wildcards.mode}, on {wildcards.labels} of the labels, draw {wildcards.draw}."


rule score_finetuned:
    """Score the fine-tuned networks on people, rooms and cameras that none of them was trained on."""
    input:
        weights=PLAN.label_efficiency.weights,
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        people=rules.render_people.output.faces,
        people_index=rules.index_people.output.index,
        people_truth=rules.render_people_truth.output.truth,
        sets=PLAN.label_efficiency.set_paths,
    output:
        scores="results/label_efficiency/scores.csv",
    log:
        "logs/score_finetuned.log",
    benchmark:
        "benchmarks/score_finetuned.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(240),
    params:
        recipe=1,
        runs=PLAN.label_efficiency.runs,
        variants=lookup(dpath="landmarks/variants", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=lookup(dpath="landmark_study/ambient_celsius", within=config),
        failure_above=lookup(dpath="label_efficiency/failure_above", within=config),
        sets=PLAN.label_efficiency.set_settings,
    message:
        "Scoring the fine-tuned networks."
    script:
        "../../workflow_scripts/studies/score_finetuned.py"


rule compare_label_efficiency:
    """Draw error against the number of labels, and tell how many labels each method needs."""
    input:
        scores=rules.score_finetuned.output.scores,
        pretraining=PLAN.label_efficiency.pretraining,
    output:
        page=report("results/label_efficiency/index.html", category="Pretraining"),
        curves=report("results/label_efficiency/curves.csv", category="Pretraining"),
    log:
        "logs/compare_label_efficiency.log",
    benchmark:
        "benchmarks/compare_label_efficiency.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
        reference=PLAN.label_efficiency.methods[0],
        pretrained=PLAN.label_efficiency.pretrained,
        failure_above=lookup(dpath="label_efficiency/failure_above", within=config),
        ambient_celsius=lookup(dpath="landmark_study/ambient_celsius", within=config),
    message:
        "Comparing what each beginning saves in labels."
    script:
        "../../workflow_scripts/studies/compare_label_efficiency.py"


rule label_efficiency:
    input:
        rules.compare_label_efficiency.output.page,
    message:
        "What each beginning saves in labels is at {input}."
