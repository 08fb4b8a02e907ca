"""Label adapters: from one landmark set to another, learnt where the faces store has both.

NEEDS  the faces store, verified: its exact 70 points and its 478
MAKES  results/adapters/{adapter}/weights.pt    the network, for tfake.landmarks.adaptation
       results/adapters/{adapter}/errors.json   its error on held-out faces, beside that of the plain mapping
"""

ADAPTERS = tuple(config["adapters"]["train"])


wildcard_constraints:
    adapter="|".join(map(re.escape, ADAPTERS)),


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
        settings=in_key_order({key: value for key, value in config["adapters"].items() if key != "train"}),
    message:
        "Training the label adapter {wildcards.adapter}."
    script:
        "../workflow_scripts/landmarks/train_adapter.py"
