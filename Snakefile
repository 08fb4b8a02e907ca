"""From RGB faces with labels to radiometric thermal faces with labels, one Zarr shard at a time.

Read top to bottom: configuration, stages in the order of the data, named targets.
"""

from snakemake.utils import min_version

min_version("9.25")


configfile: workflow.source_path("config.yaml")


report: "docs/report.rst"


include: "rules/configuration.smk"
include: "rules/common.smk"
include: "rules/stores.smk"
include: "rules/source.smk"
include: "rules/faces.smk"
include: "rules/thermalizers.smk"
include: "rules/variants.smk"
include: "rules/landmarks.smk"
include: "rules/products.smk"
include: "rules/sequences.smk"
include: "rules/diffusion.smk"
include: "rules/retargeting.smk"
include: "rules/studies/ablation.smk"
include: "rules/studies/landmark_study.smk"
include: "rules/studies/landmark_speed.smk"
include: "rules/studies/label_efficiency.smk"
include: "rules/studies/test_sets.smk"
include: "rules/studies/distillation.smk"
include: "rules/studies/realism.smk"
include: "rules/studies/face_classification.smk"
include: "rules/studies/sequence_tasks.smk"


rule all:
    default_target: True
    input:
        faces=rules.verify_faces.output.report,
        variants=collect(rules.verify_thermal.output.report, variant=PLAN.variants),
        images=rules.verify_images.output.report if PLAN.stores.keeps_images else [],
        config=rules.save_config.output.config,
        page=rules.build_report.output.page,
    message:
        "Every store is verified and the report is at {input.page}."


rule source:
    input:
        rules.index_archive.output.index,
    message:
        "The source archive is indexed and checked."


rule faces:
    input:
        rules.verify_faces.output.report,
        rules.save_config.output.config,
    message:
        "The faces store is complete and verified."


rule thermalizers:
    input:
        collect(rules.train_thermalizer.output.weights, condition=PLAN.conditions),
    message:
        "Each condition has its thermalizer."


rule variants:
    input:
        collect(rules.verify_thermal.output.report, variant=PLAN.variants),
        rules.verify_faces.output.report,
        rules.save_config.output.config,
    message:
        "Every variant's thermal store is complete and verified."
