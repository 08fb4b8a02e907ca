"""LoRAs of a FLUX model: thermal faces by text, and by the visible image with its labels kept.

On the way of `snakemake thermal_lora` and `snakemake thermal_generation` alone.

NEEDS  diffusion.model, a folder with the model, and its licence; the faces store and the sealed store of
       diffusion.variant; with control the source's images
MAKES  results/diffusion/attributes.csv     what procedural people are, for captions
       results/diffusion/{lora}/pytorch_lora_weights.safetensors, comfyui.safetensors    the LoRA by the names of either
       results/diffusion/{lora}/provenance.json, losses.csv, losses.png
       results/diffusion/{lora}/generated/manifest.json, sheet.png, pictures/    text: {number}.png, 8 bits; control:
                                            {id}_thermal.png, 16 bits for 20 to 40 °C, to be imported as a variant
"""


wildcard_constraints:
    lora="text|control",


rule describe_faces:
    """Write what the procedural people are, for captions."""
    output:
        attributes="results/diffusion/attributes.csv",
    log:
        "logs/describe_faces.log",
    benchmark:
        "benchmarks/describe_faces.tsv"
    conda:
        "../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(1000),
        runtime=minutes(60),
    params:
        recipe=1,
        seed=lookup(dpath="procedural/seed", within=config),
        images=lookup(dpath="source/images", within=config),
    message:
        "Describing {params.images} procedural faces."
    script:
        "../workflow_scripts/diffusion/describe_faces.py"


rule train_thermal_lora:
    """Train a LoRA of a FLUX model on the thermal faces of a variant."""
    input:
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        faces=rules.seal_faces.output.sums,
        variant=collect(rules.seal_thermal.output.sums, variant=PLAN.diffusion.variant),
        attributes=PLAN.diffusion.attributes,
    output:
        weights="results/diffusion/{lora}/pytorch_lora_weights.safetensors",
        comfyui="results/diffusion/{lora}/comfyui.safetensors",
        provenance="results/diffusion/{lora}/provenance.json",
        losses="results/diffusion/{lora}/losses.csv",
        loss_figure=report(
            "results/diffusion/{lora}/losses.png",
            category="Diffusion",
            labels={"lora": "{lora}", "figure": "loss"},
        ),
    log:
        "logs/train_thermal_lora/{lora}.log",
    benchmark:
        "benchmarks/train_thermal_lora/{lora}.tsv"
    conda:
        "../envs/diffusion.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(40000),
        runtime=minutes(1440),
    params:
        recipe=1,
        source=PLAN.diffusion.source,
        model=PLAN.diffusion.model,
        faces=PLAN.diffusion.faces,
        settings=PLAN.diffusion.settings,
    message:
        "Training the thermal LoRA by {wildcards.lora}."
    script:
        "../workflow_scripts/diffusion/train_thermal_lora.py"


rule generate_thermal:
    """Generate thermal pictures by a LoRA."""
    input:
        weights=rules.train_thermal_lora.output.weights,
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        faces=rules.seal_faces.output.sums,
        variant=collect(rules.seal_thermal.output.sums, variant=PLAN.diffusion.variant),
        attributes=PLAN.diffusion.attributes,
    output:
        manifest="results/diffusion/{lora}/generated/manifest.json",
        sheet=report(
            "results/diffusion/{lora}/generated/sheet.png",
            category="Diffusion",
            labels={"lora": "{lora}", "figure": "generated pictures"},
        ),
    log:
        "logs/generate_thermal/{lora}.log",
    benchmark:
        "benchmarks/generate_thermal/{lora}.tsv"
    conda:
        "../envs/diffusion.yaml"
    threads: NETWORK_THREADS
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(40000),
        runtime=minutes(720),
    params:
        recipe=1,
        source=PLAN.diffusion.source,
        model=PLAN.diffusion.model,
        training=PLAN.diffusion.settings,
        settings=PLAN.diffusion.generation,
    message:
        "Generating thermal pictures by {wildcards.lora}."
    script:
        "../workflow_scripts/diffusion/generate_thermal.py"


rule thermal_lora:
    input:
        collect(rules.train_thermal_lora.output.weights, lora=PLAN.diffusion.loras),
    message:
        "The thermal LoRAs are trained."


rule thermal_generation:
    input:
        collect(rules.generate_thermal.output.manifest, lora=PLAN.diffusion.loras),
    message:
        "Thermal pictures are generated, with what they were made from in {input}."
