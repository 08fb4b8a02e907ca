"""The arms of the ablation: what each learns from, and what it is scored on (rules/ablation.smk)."""

# The study of the loss's terms scores conditions of one room; a thermalizer for all their rooms is trained on its own.
ONE_ROOM = PLAN.one_room
ABLATION_CONDITIONS = [name for name in ONE_ROOM if name in config["ablation"]["conditions"]]
ARMS = tuple(config["ablation"]["arms"])
SEEDS = tuple(config["ablation"]["seeds"])
SCORED = ("heldout", "real") if config["ablation"]["real"]["archive"] else ("heldout",)
BANK_KEYS = (
    "image_pixels",
    "largest_zoom",
    "rotation_degrees",
    "shear_degrees",
    "patch_pixels",
    "patch_scales",
    "seed",
)
BANK_SETTINGS = {key: config["thermalizer"][key] for key in (*BANK_KEYS, "bank_patches")}


wildcard_constraints:
    arm="|".join(map(re.escape, ARMS)),
    faces="|".join(SCORED),
    rooms="|".join(map(re.escape, (*ONE_ROOM, EVERY_ROOM))),
    seed=r"\d+",


def get_ablation_conditions(wildcards):
    """The conditions that are scored. Asked only when the ablation is: a config need have none that can be."""
    if not ABLATION_CONDITIONS:
        raise WorkflowError(
            "config: ablation.conditions: the ablation scores conditions of one room, and there is none: "
            f"{', '.join(CONDITIONS)} have a range as ambient_celsius"
        )
    return ABLATION_CONDITIONS


def get_arm_scores(wildcards):
    """The scores of every arm."""
    return collect(
        rules.evaluate_arm.output.scores,
        faces=SCORED,
        condition=get_ablation_conditions(wildcards),
        arm=ARMS,
        seed=SEEDS,
    )


def get_measured_patches(wildcards):
    """The bank of real patches that a training step is measured with."""
    return expand(rules.sample_arm_patches.output.patches, rooms=get_ablation_conditions(wildcards)[:1])


def get_arm_conditions(wildcards):
    """The conditions that an arm is trained for: one, or all of one room."""
    if wildcards.rooms != EVERY_ROOM:
        return [wildcards.rooms]
    return ONE_ROOM if get_ablation_conditions(wildcards) else ()


def get_arm_rooms(wildcards):
    """Lowest and highest room temperature that an arm is trained for."""
    ambients = [config["conditions"][name]["ambient_celsius"] for name in get_arm_conditions(wildcards)]
    return [min(ambients), max(ambients)]


def get_arm_condition(wildcards):
    """A condition's settings as an arm has them: pairs of the study's room, and its own say on pairs and prior."""
    arm, prior = (
        config["ablation"]["arms"][wildcards.arm],
        config["conditions"][get_arm_conditions(wildcards)[0]]["prior"],
    )
    pairs = {"layout": "stems", "values": "celsius", "supervision": arm["supervision"]}
    offsets = {**prior["offsets_kelvin"], **arm["prior_offsets_kelvin"]}
    return in_key_order({"pairs": pairs, "prior": {**prior, "offsets_kelvin": offsets}})


def get_arm_settings(wildcards):
    """The training settings of an arm: the config's, with its weights and the seed."""
    arm = config["ablation"]["arms"][wildcards.arm]
    weights = {key: arm[key] for key in ("weight_wasserstein", "weight_prior")}
    return in_key_order({**without_neutral(config["thermalizer"]), **weights, "seed": int(wildcards.seed)})


def get_arm_weights(wildcards):
    """Weights of the arm's thermalizer for a condition."""
    rooms = EVERY_ROOM if config["ablation"]["arms"][wildcards.arm]["every_room"] else wildcards.condition
    return f"results/ablation/{rooms}/{wildcards.arm}/{wildcards.seed}/weights.pt"


def get_scored_archive(wildcards):
    """The faces that arms are scored on."""
    return config["ablation"]["real"]["archive"] if wildcards.faces == "real" else ["results/ablation/heldout.zip"]


def get_scored_images(wildcards):
    """How many of them."""
    return config["ablation"]["real"]["images"] if wildcards.faces == "real" else config["ablation"]["heldout_images"]


def get_scored_truth(wildcards):
    """Their thermal truth; nobody knows that of the real ones."""
    return [] if wildcards.faces == "real" else [f"results/ablation/heldout_truth/{wildcards.condition}.zip"]
