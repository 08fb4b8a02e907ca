"""What a person looks at.

NEEDS  every store, sealed and verified; the thermalizers' loss curves; the truth comparison where there is one
MAKES  results/config.yaml                     the effective configuration
       results/report/index.html               the page, self-contained but for the faces that it opens
       results/report/faces/{row}[.{v}].js     the data of those faces, beside it
       results/report/files/                   copies of the configuration and of the checksum lists
       results/report/figures/….svg            its figures as files of their own
"""


rule save_config:
    """Save the effective configuration."""
    output:
        config="results/config.yaml",
    log:
        "logs/save_config.log",
    benchmark:
        "benchmarks/save_config.tsv"
    localrule: True
    conda:
        "../envs/store.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(500),
        runtime=minutes(5),
    params:
        recipe=1,
        config=in_key_order(config),
    message:
        "Saving the effective configuration."
    script:
        "../workflow_scripts/products/save_config.py"


rule build_report:
    """Build the report: one folder with the page, its viewer's data and its figures."""
    input:
        archive=ARCHIVE,
        index=rules.index_archive.output.index,
        config=rules.save_config.output.config,
        faces=rules.verify_faces.output.report,
        faces_root=rules.create_faces_store.output.root,
        faces_sums=rules.seal_faces.output.sums,
        faces_summary=rules.seal_faces.output.summary,
        thermal=collect(rules.verify_thermal.output.report, variant=VARIANTS),
        thermal_roots=collect("results/variants/{variant}/thermal.zarr/zarr.json", variant=VARIANTS),
        thermal_sums=collect(rules.seal_thermal.output.sums, variant=VARIANTS),
        thermal_summaries=collect(rules.seal_thermal.output.summary, variant=VARIANTS),
        losses=collect(rules.train_thermalizer.output.losses, condition=TRAINED),
        evaluations=collect(
            rules.evaluate_thermal.output.table,
            variant=THERMALIZED if IS_PROCEDURAL else (),
        ),
    output:
        page=report(
            "results/report/index.html",
            caption="../docs/captions/page.rst",
            category="Overview",
            labels={"figure": "the report"},
        ),
        viewer=directory("results/report/faces"),
        files=directory("results/report/files"),
        temperatures=report(
            "results/report/figures/temperatures.svg",
            caption="../docs/captions/temperatures.rst",
            category="Overview",
            labels={"figure": "temperatures by class"},
        ),
        labels=report(
            "results/report/figures/labels.svg",
            caption="../docs/captions/labels.rst",
            category="Overview",
            labels={"figure": "errors of the dense labels"},
        ),
        lineage=report(
            "results/report/figures/lineage.svg",
            caption="../docs/captions/lineage.rst",
            category="Overview",
            labels={"figure": "lineage"},
        ),
    log:
        "logs/build_report.log",
    benchmark:
        "benchmarks/build_report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(3000),
        runtime=minutes(30),
    params:
        recipe=5,
        config=in_key_order(config),
        ambients=AMBIENTS,
        benchmarks="benchmarks",
    message:
        "Building the report."
    script:
        "../workflow_scripts/products/build_report.py"
