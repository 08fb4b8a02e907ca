"""The study of the loss's terms: every arm trained alike, scored on people, poses and light that no training saw.

The pairs come from one room that is neither condition's, real thermal images of the condition's room have no partner,
and the prior is a table: what each term adds is what its data tell. On the way of `snakemake ablation` alone.

NEEDS  the source archive and its index; for the real scores ablation.real.archive and ablation.lwir_faces
MAKES  results/ablation/{heldout,lab,bank,lwir,index}…       what the arms learn from and are scored on
       results/ablation/{rooms}/{arm}/{seed}/                an arm's thermalizer, as in rules/thermalizers.smk
       results/ablation/scores/{faces}/{condition}/{arm}/    its scores, one JSON a seed
       results/ablation/arms.csv, cost.json, index.html      the comparison
"""


wildcard_constraints:
    arm=one_of(PLAN.ablation.arms),
    faces=one_of(PLAN.ablation.faces),
    rooms=one_of(PLAN.ablation.rooms),
    seed=r"\d+",


use rule render_faces as render_heldout with:
    output:
        faces="results/ablation/heldout.zip",
    log:
        "logs/ablation/render_heldout.log",
    benchmark:
        "benchmarks/ablation/render_heldout.tsv"
    params:
        recipe=rules.render_faces.params.recipe,
        seed=config["procedural"]["seed"] + 1,
        images=lookup(dpath="ablation/heldout_images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),


use rule render_truth as render_heldout_truth with:
    output:
        truth="results/ablation/heldout_truth/{condition}.zip",
    log:
        "logs/ablation/render_heldout_truth/{condition}.log",
    benchmark:
        "benchmarks/ablation/render_heldout_truth/{condition}.tsv"
    params:
        recipe=rules.render_truth.params.recipe,
        tables="charlotte",
        seed=config["procedural"]["seed"] + 1,
        images=lookup(dpath="ablation/heldout_images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=lookup(dpath="conditions/{condition}/ambient_celsius", within=config),
    message:
        "Rendering the true temperatures at {params.ambient_celsius} °C for the ablation."


use rule index_archive as index_scored with:
    input:
        archive=PLAN.ablation.scored_archive,
    output:
        index="results/ablation/index/{faces}.parquet",
    log:
        "logs/ablation/index_scored/{faces}.log",
    benchmark:
        "benchmarks/ablation/index_scored/{faces}.tsv"
    params:
        recipe=rules.index_archive.params.recipe,
        images=PLAN.ablation.scored_images,
        image_pixels=lookup(dpath="source/image_pixels", within=config),


use rule render_lab as render_ablation_lab with:
    output:
        pairs="results/ablation/lab.zip",
    log:
        "logs/ablation/render_ablation_lab.log",
    benchmark:
        "benchmarks/ablation/render_ablation_lab.tsv"
    params:
        recipe=rules.render_lab.params.recipe,
        tables="charlotte",
        seed=lookup(dpath="procedural/seed", within=config),
        lab_pairs=lookup(dpath="procedural/lab_pairs", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        rooms=[config["ablation"]["pairs_ambient_celsius"]] * 2,
    message:
        "Rendering {params.lab_pairs} pairs of the ablation at {params.rooms} °C."


use rule render_lab as render_ablation_bank with:
    output:
        pairs="results/ablation/bank/{rooms}.zip",
    log:
        "logs/ablation/render_ablation_bank/{rooms}.log",
    benchmark:
        "benchmarks/ablation/render_ablation_bank/{rooms}.tsv"
    params:
        recipe=rules.render_lab.params.recipe,
        tables="charlotte",
        seed=config["procedural"]["seed"] + 2,
        lab_pairs=lookup(dpath="ablation/bank_images", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        rooms=PLAN.ablation.arm_ambient_range,
    message:
        "Rendering {params.lab_pairs} thermal images without partners at {params.rooms} °C."


use rule sample_patches as sample_arm_patches with:
    input:
        images=rules.render_ablation_bank.output.pairs,
    output:
        patches="results/ablation/bank/{rooms}.npz",
    log:
        "logs/ablation/sample_arm_patches/{rooms}.log",
    benchmark:
        "benchmarks/ablation/sample_arm_patches/{rooms}.tsv"
    params:
        **PLAN.thermalizers.bank_settings,
        recipe=rules.sample_patches.params.recipe,
        bank_path=None,
        bank_values="celsius",
        pair_values="celsius",
        pair_layout="stems",
    message:
        "Sampling {params.bank_patches} thermal patches a scale for the ablation's {wildcards.rooms}."


use rule sample_patches as sample_lwir_patches with:
    input:
        images=config["ablation"]["lwir_faces"] or [],
    output:
        patches="results/ablation/lwir.npz",
    log:
        "logs/ablation/sample_lwir_patches.log",
    benchmark:
        "benchmarks/ablation/sample_lwir_patches.tsv"
    params:
        **PLAN.thermalizers.bank_settings,
        recipe=rules.sample_patches.params.recipe,
        bank_path=lookup(dpath="ablation/lwir_faces", within=config),
        bank_values="relative",
        pair_values="celsius",
        pair_layout="stems",
    message:
        "Sampling {params.bank_patches} patches a scale of real long-wave infrared faces."


use rule train_thermalizer as train_arm with:
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        pairs=rules.render_ablation_lab.output.pairs,
        patches=rules.sample_arm_patches.output.patches,
        encoder=PLAN.thermalizers.encoder,
        faces=[],
    output:
        weights="results/ablation/{rooms}/{arm}/{seed}/weights.pt",
        provenance="results/ablation/{rooms}/{arm}/{seed}/provenance.json",
        losses="results/ablation/{rooms}/{arm}/{seed}/losses.csv",
        loss_figure="results/ablation/{rooms}/{arm}/{seed}/losses.png",
        sample_figure="results/ablation/{rooms}/{arm}/{seed}/samples.png",
    log:
        "logs/ablation/train_arm/{rooms}/{arm}/{seed}.log",
    benchmark:
        "benchmarks/ablation/train_arm/{rooms}/{arm}/{seed}.tsv"
    params:
        recipe=rules.train_thermalizer.params.recipe,
        name="{rooms} {arm} {seed}",
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        condition=PLAN.ablation.arm_condition,
        rooms=PLAN.ablation.arm_ambient_range,
        settings=PLAN.ablation.arm_settings,
    message:
        "Training {wildcards.arm} for {wildcards.rooms}, seed {wildcards.seed}."


rule evaluate_arm:
    """Score an arm on faces that no training saw."""
    input:
        archive=PLAN.ablation.scored_archive,
        index=rules.index_scored.output.index,
        truth=PLAN.ablation.scored_truth,
        weights=PLAN.ablation.arm_weights,
        lwir_patches=rules.sample_lwir_patches.output.patches if config["ablation"]["lwir_faces"] else [],
    output:
        scores="results/ablation/scores/{faces}/{condition}/{arm}/{seed}.json",
        strip="results/ablation/scores/{faces}/{condition}/{arm}/{seed}.png",
    log:
        "logs/evaluate_arm/{faces}/{condition}/{arm}/{seed}.log",
    benchmark:
        "benchmarks/evaluate_arm/{faces}/{condition}/{arm}/{seed}.tsv"
    wildcard_constraints:
        condition=one_of(PLAN.fixed_ambient),
    conda:
        "../../envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=lookup(dpath="conditions/{condition}/ambient_celsius", within=config),
        # Without the arm's own offsets: an arm whose prior is wrong is held against the right one.
        prior=lookup(dpath="conditions/{condition}/prior", within=config),
        precision=lookup(dpath="inference_precision", within=config),
    message:
        "Scoring {wildcards.arm} for {wildcards.condition}, seed {wildcards.seed}, on the {wildcards.faces} faces."
    script:
        "../../workflow_scripts/studies/evaluate_arm.py"


rule measure_training:
    """Measure where a training step's time goes, and against a naive step."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        pairs=rules.render_ablation_lab.output.pairs,
        patches=lambda wildcards: expand(rules.sample_arm_patches.output.patches, rooms=PLAN.ablation.conditions[:1]),
        encoder=PLAN.thermalizers.encoder,
    output:
        costs="results/ablation/cost.json",
    log:
        "logs/measure_training.log",
    benchmark:
        "benchmarks/measure_training.tsv"
    conda:
        "../../envs/thermalizer.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(120),
    params:
        recipe=1,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        prior=lambda wildcards: PLAN.ablation.measured_condition["prior"],
        ambient_celsius=lambda wildcards: PLAN.ablation.measured_condition["ambient_celsius"],
        steps=lookup(dpath="ablation/cost_steps", within=config),
        settings=lambda wildcards: PLAN.ablation.measured_settings,
    message:
        "Measuring what a training step costs."
    script:
        "../../workflow_scripts/studies/measure_training.py"


rule compare_arms:
    """Lay the arms side by side: a table, a figure, pictures."""
    input:
        scores=lambda wildcards: collect(
            rules.evaluate_arm.output.scores,
            faces=PLAN.ablation.faces,
            condition=PLAN.ablation.conditions,
            arm=PLAN.ablation.arms,
            seed=PLAN.ablation.seeds,
        ),
        costs=rules.measure_training.output.costs,
    output:
        table=report("results/ablation/arms.csv", category="Ablation"),
        page=report("results/ablation/index.html", category="Ablation"),
    log:
        "logs/compare_arms.log",
    benchmark:
        "benchmarks/compare_arms.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=2,
        baseline=PLAN.ablation.arms[0],
        pairs_ambient_celsius=lookup(dpath="ablation/pairs_ambient_celsius", within=config),
    message:
        "Comparing the arms of the ablation."
    script:
        "../../workflow_scripts/studies/compare_arms.py"


rule ablation:
    input:
        rules.compare_arms.output.page,
    message:
        "The loss's terms are compared in {input}."
