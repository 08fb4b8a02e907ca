"""Thermalizers: one network a condition, from RGB to degrees Celsius.

NEEDS  the source archive and its index; pairs of RGB and thermal images (conditions.*.pairs, or the lab set);
       nothing for a condition with weights of its own (rules/released.smk)
MAKES  results/thermalizers/{condition}/weights.pt, provenance.json, losses.csv, losses.png, samples.png
"""


rule train_thermalizer:
    """Train the thermalizer of one condition."""
    input:
        archive=ARCHIVE,
        index=rules.index_archive.output.index,
        pairs=branch(
            lookup(dpath="conditions/{condition}/pairs/path", within=config),
            then=lookup(dpath="conditions/{condition}/pairs/path", within=config),
            otherwise=rules.render_lab.output.pairs,
        ),
    output:
        weights="results/thermalizers/{condition}/weights.pt",
        provenance="results/thermalizers/{condition}/provenance.json",
        losses="results/thermalizers/{condition}/losses.csv",
        loss_figure=report(
            "results/thermalizers/{condition}/losses.png",
            category="Thermalizers",
            labels={"condition": "{condition}", "figure": "loss terms"},
        ),
        sample_figure=report(
            "results/thermalizers/{condition}/samples.png",
            category="Thermalizers",
            labels={"condition": "{condition}", "figure": "samples"},
        ),
    log:
        "logs/train_thermalizer/{condition}.log",
    benchmark:
        "benchmarks/train_thermalizer/{condition}.tsv"
    wildcard_constraints:
        condition="|".join(map(re.escape, TRAINED)) or "(?!)",
    conda:
        "../envs/thermalizer.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=int(USES_GPU),
    params:
        recipe=1,
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        condition=get_condition_settings,
        settings=in_key_order(config["thermalizer"]),
        device=lookup(dpath="device", within=config),
    message:
        "Training the thermalizer for {wildcards.condition}."
    script:
        "../workflow_scripts/train_thermalizer.py"
