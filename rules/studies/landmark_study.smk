"""What joint training is worth: landmark networks of several tasks, scored on people that no training saw.

On the way of `snakemake landmark_study` alone.

NEEDS  results/landmarks/{task}/weights.pt and what that was trained on; landmark_study.pictures: folders of real pictures
MAKES  results/landmark_study/people…           faces of other people, at another ambient temperature
       results/landmark_study/{task}.json, .npz, .png           scores
       results/landmark_study/{task}_pictures.json, .png        what it finds in landmark_study.pictures
       results/landmark_study/scores.csv, scores.json, index.html    the comparison
"""


use rule render_faces as render_people with:
    output:
        faces="results/landmark_study/people.zip",
    log:
        "logs/landmark_study/render_people.log",
    benchmark:
        "benchmarks/landmark_study/render_people.tsv"
    params:
        recipe=rules.render_faces.params.recipe,
        seed=config["procedural"]["seed"] + 3,
        images=lookup(dpath="landmark_study/people", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),


use rule render_truth as render_people_truth with:
    output:
        truth="results/landmark_study/people_truth.zip",
    log:
        "logs/landmark_study/render_people_truth.log",
    benchmark:
        "benchmarks/landmark_study/render_people_truth.tsv"
    params:
        recipe=rules.render_truth.params.recipe,
        seed=config["procedural"]["seed"] + 3,
        images=lookup(dpath="landmark_study/people", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=lookup(dpath="landmark_study/ambient_celsius", within=config),
    message:
        "Rendering the true temperatures at {params.ambient_celsius} °C for the landmark study."


use rule index_archive as index_people with:
    input:
        archive=[rules.render_people.output.faces],
    output:
        index="results/landmark_study/people.parquet",
    log:
        "logs/landmark_study/index_people.log",
    benchmark:
        "benchmarks/landmark_study/index_people.tsv"
    params:
        recipe=rules.index_archive.params.recipe,
        images=lookup(dpath="landmark_study/people", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),


rule evaluate_landmarker:
    """Score a landmark network on faces that it was not trained on."""
    input:
        weights=rules.train_landmarker.output.weights,
        archive=PLAN.source.undecoded,
        images=PLAN.stores.all_decoded,
        index=rules.index_archive.output.index,
        faces=rules.seal_faces.output.sums,
        variants=collect(rules.seal_thermal.output.sums, variant=PLAN.landmarks.variants),
        people=rules.render_people.output.faces,
        people_index=rules.index_people.output.index,
        people_truth=rules.render_people_truth.output.truth,
    output:
        scores="results/landmark_study/{task}.json",
        points="results/landmark_study/{task}.npz",
        figure="results/landmark_study/{task}.png",
    log:
        "logs/evaluate_landmarker/{task}.log",
    benchmark:
        "benchmarks/evaluate_landmarker/{task}.tsv"
    conda:
        "../../envs/thermalizer.yaml"
    threads: 1
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=1,
        landmarks=PLAN.landmarks.points,
        variants=lookup(dpath="landmarks/variants", within=config),
        image_pixels=lookup(dpath="source/image_pixels", within=config),
        ambient_celsius=lookup(dpath="landmark_study/ambient_celsius", within=config),
    message:
        "Scoring the landmark network {wildcards.task}."
    script:
        "../../workflow_scripts/studies/evaluate_landmarker.py"


rule search_pictures:
    """Look for faces in pictures without labels."""
    input:
        weights=rules.train_landmarker.output.weights,
        folders=list(PLAN.landmarks.pictures.values()),
    output:
        findings="results/landmark_study/{task}_pictures.json",
        figure="results/landmark_study/{task}_pictures.png",
    log:
        "logs/search_pictures/{task}.log",
    benchmark:
        "benchmarks/search_pictures/{task}.tsv"
    conda:
        "../../envs/thermalizer.yaml"
    threads: 1
    resources:
        **NETWORK_DEVICE,
        mem_mb=memory_mb(4000),
        runtime=minutes(60),
    params:
        recipe=2,
        folders=in_key_order(PLAN.landmarks.pictures),
    message:
        "Looking for faces in pictures without labels with {wildcards.task}."
    script:
        "../../workflow_scripts/studies/search_pictures.py"


rule compare_landmarkers:
    """Lay the landmark networks of the study side by side."""
    input:
        scores=collect(rules.evaluate_landmarker.output.scores, task=PLAN.landmarks.scored),
        points=collect(rules.evaluate_landmarker.output.points, task=PLAN.landmarks.scored),
        figures=collect(rules.evaluate_landmarker.output.figure, task=PLAN.landmarks.scored),
        findings=collect(
            rules.search_pictures.output.findings, task=PLAN.landmarks.scored if PLAN.landmarks.pictures else ()
        ),
        picture_figures=collect(
            rules.search_pictures.output.figure, task=PLAN.landmarks.scored if PLAN.landmarks.pictures else ()
        ),
    output:
        table=report("results/landmark_study/scores.csv", category="Landmarks"),
        summary="results/landmark_study/scores.json",
        page=report("results/landmark_study/index.html", category="Landmarks"),
    log:
        "logs/compare_landmarkers.log",
    benchmark:
        "benchmarks/compare_landmarkers.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(2000),
        runtime=minutes(20),
    params:
        recipe=1,
        ambient_celsius=lookup(dpath="landmark_study/ambient_celsius", within=config),
    message:
        "Comparing the landmark networks."
    script:
        "../../workflow_scripts/studies/compare_landmarkers.py"


rule landmark_study:
    input:
        rules.compare_landmarkers.output.page,
    message:
        "The landmark networks are compared in {input}."
