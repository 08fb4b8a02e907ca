"""The test sets and landmarkers that rules/evaluation.smk compares."""

TEST_SETS = tuple(config["evaluation"]["sets"])
EVALUATED = dict(config["evaluation"]["landmarkers"])


wildcard_constraints:
    testset="|".join(map(re.escape, TEST_SETS)),


for _name, _weights in EVALUATED.items():
    if not _weights.startswith("results/landmarks/") and not os.path.exists(_weights):
        raise WorkflowError(f"config: evaluation.landmarkers.{_name}: there is no {_weights} (seen from {os.getcwd()})")


for _name, _settings in config["evaluation"]["sets"].items():
    if _settings["kind"].startswith("variant_") and _settings["path"] not in (None, *VARIANTS):
        raise WorkflowError(
            f"config: evaluation.sets.{_name}.path is {_settings['path']!r}; for the kind {_settings['kind']} it is a "
            f"variant: {', '.join(VARIANTS)}"
        )


def get_test_set_path(wildcards):
    """Folder or zip of a test set, None without one; of the workflow's own, the variant."""
    settings = config["evaluation"]["sets"][wildcards.testset]
    return settings["path"] or (VARIANTS[0] if settings["kind"].startswith("variant_") else None)


def get_test_set_values(wildcards):
    """What a test set's images of more than 8 bits hold."""
    return in_key_order(config["evaluation"]["sets"][wildcards.testset].get("values", "celsius"))


def get_test_set_files(wildcards):
    """What a test set's evaluation has to wait for: a variant's stores, or the folder if it is there."""
    path = get_test_set_path(wildcards)
    if config["evaluation"]["sets"][wildcards.testset]["kind"].startswith("variant_"):
        return [f"results/variants/{path}/verified.json", "results/faces/verified.json"]
    return [path] if path is not None and os.path.exists(path) else []
