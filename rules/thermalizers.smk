"""Thermalizers: one network a condition, from RGB to degrees Celsius.

NEEDS  the source archive and its index; pairs of RGB and thermal images (conditions.*.pairs, or the lab set);
       thermal images without a partner (conditions.*.bank, or those of the pairs)
       nothing for a condition with weights of its own (rules/released.smk)
MAKES  results/thermalizers/{condition}/patches.npz
       results/thermalizers/{condition}/weights.pt, provenance.json, losses.csv, losses.png, samples.png
"""


rule sample_patches:
    """Sample the bank of real thermal patches of one condition."""
    input:
        images=branch(
            lookup(dpath="conditions/{condition}/bank/path", within=config),
            then=lookup(dpath="conditions/{condition}/bank/path", within=config),
            otherwise=branch(
                lookup(dpath="conditions/{condition}/pairs/path", within=config),
                then=lookup(dpath="conditions/{condition}/pairs/path", within=config),
                otherwise=rules.render_lab.output.pairs,
            ),
        ),
    output:
        patches="results/thermalizers/{condition}/patches.npz",
    log:
        "logs/sample_patches/{condition}.log",
    benchmark:
        "benchmarks/sample_patches/{condition}.tsv"
    conda:
        "../envs/thermalizer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(60),
    params:
        recipe=1,
        bank_path=lookup(dpath="conditions/{condition}/bank/path", within=config),
        bank_values=lookup(dpath="conditions/{condition}/bank/values", within=config),
        pair_values=lookup(dpath="conditions/{condition}/pairs/values", within=config),
        pair_layout=lookup(dpath="conditions/{condition}/pairs/layout", within=config),
        image_pixels=lookup(dpath="thermalizer/image_pixels", within=config),
        largest_zoom=lookup(dpath="thermalizer/largest_zoom", within=config),
        rotation_degrees=lookup(dpath="thermalizer/rotation_degrees", within=config),
        shear_degrees=lookup(dpath="thermalizer/shear_degrees", within=config),
        patch_pixels=lookup(dpath="thermalizer/patch_pixels", within=config),
        patch_scales=lookup(dpath="thermalizer/patch_scales", within=config),
        bank_patches=lookup(dpath="thermalizer/bank_patches", within=config),
        seed=lookup(dpath="thermalizer/seed", within=config),
    message:
        "Sampling {params.bank_patches} thermal patches a scale for {wildcards.condition}."
    script:
        "../workflow_scripts/thermalizers/sample_patches.py"


rule train_thermalizer:
    """Train the thermalizer of one condition."""
    input:
        archive=UNDECODED,
        images=DECODED,
        index=rules.index_archive.output.index,
        pairs=branch(
            lookup(dpath="conditions/{condition}/pairs/path", within=config),
            then=lookup(dpath="conditions/{condition}/pairs/path", within=config),
            otherwise=rules.render_lab.output.pairs,
        ),
        patches=rules.sample_patches.output.patches,
        encoder=ENCODERS["thermalizer"],
    output:
        weights="results/thermalizers/{condition}/weights.pt",
        provenance="results/thermalizers/{condition}/provenance.json",
        losses="results/thermalizers/{condition}/losses.csv",
        loss_figure=report(
            "results/thermalizers/{condition}/losses.png",
            caption="../docs/captions/losses.rst",
            category="Thermalizers",
            labels={"condition": "{condition}", "figure": "loss terms"},
        ),
        sample_figure=report(
            "results/thermalizers/{condition}/samples.png",
            caption="../docs/captions/samples.rst",
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
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(8000),
        runtime=minutes(720),
    params:
        recipe=2,
        name="{condition}",
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        condition=get_condition_settings,
        rooms=get_condition_rooms,
        settings=in_key_order(without_neutral(config["thermalizer"])),
    message:
        "Training the thermalizer for {wildcards.condition}."
    script:
        "../workflow_scripts/thermalizers/train_thermalizer.py"
