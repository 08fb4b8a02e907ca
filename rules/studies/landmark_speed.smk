"""What landmark networks weigh and how fast they are on this machine.

On the way of `snakemake landmark_speed` alone.

NEEDS  landmark_speed.weights: files of trained networks; landmark_speed.calibration: pictures of faces, or results
MAKES  results/landmark_speed/speed.json, speed.csv     every measurement
       results/landmark_speed/index.html                the page
"""


rule measure_landmark_speed:
    """Measure landmark networks, one after the other."""
    input:
        weights=PLAN.landmark_speed.weights_files,
        calibration=PLAN.landmark_speed.calibration,
    output:
        speed="results/landmark_speed/speed.json",
        table=report("results/landmark_speed/speed.csv", category="Landmarks"),
    log:
        "logs/measure_landmark_speed.log",
    benchmark:
        "benchmarks/measure_landmark_speed.tsv"
    conda:
        "../../envs/speed.yaml"
    threads: PLAN.landmark_speed.most_threads
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        settings=PLAN.landmark_speed.settings,
    message:
        "Measuring landmark networks."
    script:
        "../../workflow_scripts/studies/measure_landmark_speed.py"


rule describe_landmark_speed:
    """Write the page of what was measured."""
    input:
        speed=rules.measure_landmark_speed.output.speed,
    output:
        page=report("results/landmark_speed/index.html", category="Landmarks"),
    log:
        "logs/describe_landmark_speed.log",
    benchmark:
        "benchmarks/describe_landmark_speed.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
    message:
        "Describing what landmark networks cost."
    script:
        "../../workflow_scripts/studies/describe_landmark_speed.py"


rule landmark_speed:
    input:
        rules.describe_landmark_speed.output.page,
    message:
        "What landmark networks weigh and how fast they are is in {input}."
