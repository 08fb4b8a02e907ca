"""What no section can tell alone: names that refer to entries elsewhere, and values that agree with other sections."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from tfake.config.faults import Fault, Path
from tfake.config.models_heat import Lens, State
from tfake.config.plan import Plan
from tfake.config.plan_distillation import RESERVED_STUDENTS
from tfake.config.plan_retargeting import CURVE_NAMES
from tfake.config.plan_rules import told_kind, variant_kind
from tfake.config.plan_studies import EVERY_ROOM
from tfake.config.validation import nearest

#: The tables of temperatures that come with the library; each, like a user's own, begins with the rooms it answers for.
PRIORS = FilePath(__file__).parents[1] / "thermalizer/priors"
#: How far a table that does not state its rooms is followed beyond its columns, in kelvin.
_BEYOND_COLUMNS = 10
#: Kinds of variants that their keys tell, stated or not; any other kind is stated.
_TOLD_KINDS = ("modelled", "thermalized", "recorded", "imported")
#: Those that are made here of the source's images: a camera records them, and temperatures are theirs to choose.
_GENERATED = ("modelled", "thermalized")

Config = Mapping[str, Any]
#: Places of the entries that the user took away.
Removed = Collection[Path]


def find_conflicts(config: Config, removed: Removed = frozenset()) -> list[Fault]:
    """Everything in a config that refers to what is not there, or contradicts something else in it.

    Args:
        config: complete, and valid by the models.
        removed: places of the entries that it takes away (:func:`tfake.config.coercion.coerce_values`).

    Returns:
        The faults. Whether values agree is checked only where every name is found.
    """
    faults = [fault for check in _NAMES for fault in check(config, removed)]
    if faults:
        return faults
    plan = Plan(config)
    return [fault for check in _VALUES for fault in check(config, plan)]


def _find_name(path: Path, name: str, block: str, known: Collection[str], removed: Removed) -> Iterator[Fault]:
    """A fault where a key holds a name that is none of those known in its block."""
    if name in known:
        return
    taken = f"; your config takes {block}.{name} away" if (block, name) in removed else ""
    yield Fault(path, f"is {name!r}; the {block} are {', '.join(known) or 'none'}{taken or nearest(name, [*known])}")


def _check_conditions(config: Config, removed: Removed) -> Iterator[Fault]:
    for name in config["conditions"]:
        if name == EVERY_ROOM:
            yield Fault(("conditions", name), "is a name that the ablation keeps for itself; choose another")
    for name in config["thermalizers"]:
        if name not in config["conditions"]:
            known = ", ".join(config["conditions"])
            yield Fault(("thermalizers", name), f"is for no condition; the conditions are {known}")


def _check_variants(config: Config, removed: Removed) -> Iterator[Fault]:
    variants = config["variants"]
    recorded = [name for name in variants if "of" in variants[name]]
    bases = [name for name in variants if variant_kind(variants[name]) in _GENERATED]
    for name, settings in variants.items():
        path = ("variants", name)
        kind, told = settings.get("kind"), told_kind(settings)
        if kind in _TOLD_KINDS and kind != told:
            yield Fault((*path, "kind"), f"is {kind!r}; the other keys are those of {told!r}")
        if "heat" in settings and told not in _GENERATED:
            yield Fault((*path, "heat"), "is for temperatures that are made here; the variant takes those of others")
        if name not in recorded:
            if condition := settings.get("condition"):
                yield from _find_name((*path, "condition"), condition, "conditions", config["conditions"], removed)
            continue
        of = settings["of"]
        if of in variants and of not in bases:
            how = "recorded from another variant itself" if of in recorded else "published by others"
            yield Fault((*path, "of"), f"is {of!r}, which is {how}; it must be one of {', '.join(bases)}")
        else:
            yield from _find_name((*path, "of"), of, "variants", bases, removed)
        yield from _find_name((*path, "camera"), settings["camera"], "cameras", config["cameras"], removed)


def _check_cameras(config: Config, removed: Removed) -> Iterator[Fault]:
    complete = [name for name, settings in config["cameras"].items() if "preset" not in settings]
    for name, settings in config["cameras"].items():
        preset = settings.get("preset")
        if preset in config["cameras"] and preset not in complete:
            text = f"is {preset!r}, which has a preset itself; it must be a complete camera: {', '.join(complete)}"
            yield Fault(("cameras", name, "preset"), text)
        elif preset is not None:
            yield from _find_name(("cameras", name, "preset"), preset, "cameras", complete, removed)


def _check_lists(config: Config, removed: Removed) -> Iterator[Fault]:
    """Lists of names elsewhere in the config; null stands for all that fit."""
    variants = config["variants"]
    own = [name for name in variants if "files" not in variants[name]]
    uncropped = [name for name in variants if "of" not in variants[name]]
    for block, key, names, known in (
        ("landmarks", "variants", "variants", uncropped),
        ("realism", "variants", "variants", uncropped),
        ("publication", "variants", "variants", own),
        ("ablation", "conditions", "conditions", config["conditions"]),
    ):
        for place, name in enumerate(config[block][key] or ()):
            yield from _find_name((block, key, place), name, names, known, removed)
    if (learnt := config["diffusion"]["variant"]) is not None:
        yield from _find_name(("diffusion", "variant"), learnt, "variants", uncropped, removed)
    distillation = config["distillation"]
    arm_path = ("distillation", "student_arm")
    yield from _find_name(arm_path, distillation["student_arm"], "distillation.arms", distillation["arms"], removed)
    for name in distillation["students"]:
        if name in RESERVED_STUDENTS:
            yield Fault(("distillation", "students", name), "is a name that the study keeps for itself; choose another")
    for name, arm in distillation["arms"].items():
        for place, term in enumerate(arm["terms"]):
            if term not in distillation["weights"]:
                text = f"is {term!r}, which has no weight in distillation.weights"
                yield Fault(("distillation", "arms", name, "terms", place), text)
    for name in config["realism"]["real"]:
        if name in variants:
            yield Fault(("realism", "real", name), "is the name of a variant, too; choose another")
    for name in config["retargeting"]["drivers"]:
        if name in CURVE_NAMES:
            yield Fault(
                ("retargeting", "drivers", name), "is a name that sequences of motion curves have; expected any other"
            )
    moved = config["retargeting"]["variant"]
    if moved is not None:
        made = [name for name in variants if variant_kind(variants[name]) in _GENERATED]
        yield from _find_name(("retargeting", "variant"), moved, "variants", made, removed)
    reference = config["report"]["reference"]
    if reference["path"] is not None and reference["variant"] is not None:
        yield from _find_name(("report", "reference", "variant"), reference["variant"], "variants", variants, removed)


def _check_ambients(config: Config, plan: Plan) -> Iterator[Fault]:
    for name in plan.modelled:
        if config["variants"][name]["ambient_celsius"] is None:
            yield Fault(("variants", name, "ambient_celsius"), "is null; a variant without a condition names its room")
    for name in (*plan.thermalized, *plan.imported):
        settings = config["variants"][name]
        low, high = plan.ambient_range(settings["condition"])
        own = settings["ambient_celsius"]
        if not (low == high if own is None else low <= own <= high):
            yield Fault(
                ("variants", name, "ambient_celsius"),
                f"is {'null' if own is None else own}; its condition {settings['condition']!r} is trained for {low} to "
                f"{high} °C" + (": name the room of this variant" if own is None else ""),
            )


def _check_heat(config: Config, plan: Plan) -> Iterator[Fault]:
    """Lenses that are half there, and states of a person who is nobody."""
    faults: dict[Path, str] = {}
    for name in plan.generated:
        path, own, heat = ("variants", name, "heat"), config["variants"][name].get("heat", {}), plan.heat(name)
        lacking = [key for key in Lens.model_fields if heat["lens"] is not None and key not in heat["lens"]]
        if lacking:
            faults[*path, "lens"] = f"lacks {', '.join(lacking)}: heat.lens is null, and has nothing to take over"
        changed = [key for key, field in State.model_fields.items() if heat["state"][key] != field.default]
        if changed and heat["persons"] == "mean":
            where: Path = (*path, "state") if "state" in own else ("heat", "state")
            faults[where] = f"has {', '.join(changed)}; a state is one person's, and {name} has persons: mean"
    yield from (Fault(path, text) for path, text in faults.items())


def _check_rows(config: Config, plan: Plan) -> Iterator[Fault]:
    for name in plan.variants:
        start, stop = plan.rows(name)
        low, high = plan.rows(plan.base(name))
        whole = start % plan.shard_images == 0 and (stop % plan.shard_images == 0 or stop == plan.images)
        if not (low <= start < stop <= high <= plan.images and whole):
            yield Fault(
                ("variants", name, "images"),
                f"is [{start}, {stop}]; it must be whole shards of {plan.shard_images} rows, rising, within "
                f"[{low}, {min(high, plan.images)}]",
            )


def _check_network_range(config: Config, plan: Plan) -> Iterator[Fault]:
    """Room temperatures that the network could not give."""
    for name in plan.trained:
        section = plan.thermalizers.section_of(name)
        low, high = config[section]["output_celsius"]
        rooms = plan.ambient_range(name)
        if not low <= rooms[0] <= rooms[1] <= high:
            shown = rooms[0] if rooms[0] == rooms[1] else list(rooms)
            yield Fault(
                ("conditions", name, "ambient_celsius"),
                f"is {shown}, which the network cannot give: {section}.output_celsius is [{low}, {high}]",
            )


def _check_kinds(config: Config, plan: Plan) -> Iterator[Fault]:
    """Pairs that a kind of network cannot learn from."""
    for name in plan.trained:
        settings = config["conditions"][name]
        if settings["kind"] == "diffusion" and settings["pairs"]["values"] == "relative":
            yield Fault(
                ("conditions", name, "pairs", "values"),
                "is 'relative'; a diffusion thermalizer draws temperatures, and needs pairs that have them. Take the "
                "kind unet, or other pairs",
            )


def _check_priors(config: Config, plan: Plan) -> Iterator[Fault]:
    """Room temperatures for which the table of the prior has no answer."""
    for name in plan.trained:
        prior = config["conditions"][name]["prior"]
        path, table = ("conditions", name, "prior", "table"), prior["table"]
        try:
            lowest, highest = read_prior_rooms(table)
        except (OSError, ValueError) as error:
            yield Fault(path, f"is {table}, which cannot be read: {error}")
            continue
        at = prior["read_at_celsius"]
        rooms = dict.fromkeys(plan.ambient_range(name) if at is None else [at])
        if min(rooms) < lowest or max(rooms) > highest:
            asked = " to ".join(f"{room:g}" for room in rooms)
            yield Fault(
                path,
                f"is {table}, which answers for rooms of {lowest:g} to {highest:g} °C; it is read at {asked} °C. Take "
                "another table, or state the room whose body temperatures hold (prior.read_at_celsius)",
            )


def read_prior_rooms(table: str) -> tuple[float, float]:
    """Lowest and highest room in °C that a table of the prior answers for.

    Args:
        table: a CSV file, or the name of one that comes with the library.

    Raises:
        OSError: it cannot be read.
        ValueError: it neither states its rooms nor has a column for one.
    """
    with open(table if FilePath(table).is_file() else PRIORS / f"{table}.csv", encoding="utf-8-sig") as file:
        first = file.readline()
    number = r"(-?\d+(?:\.\d+)?)"
    if stated := re.match(f"# rooms of {number} to {number} degrees Celsius", first):
        return float(stated[1]), float(stated[2])
    # Without such a line, the columns come first.
    rooms = [float(room) for room in re.findall(f"at_{number}_celsius", first)]
    if not rooms:
        raise ValueError("it has no column at_..._celsius")
    return min(rooms) - _BEYOND_COLUMNS, max(rooms) + _BEYOND_COLUMNS


_NAMES: tuple[Callable[[Config, Removed], Iterator[Fault]], ...] = (
    _check_conditions,
    _check_cameras,
    _check_variants,
    _check_lists,
)
_VALUES: tuple[Callable[[Config, Plan], Iterator[Fault]], ...] = (
    _check_ambients,
    _check_heat,
    _check_rows,
    _check_network_range,
    _check_kinds,
    _check_priors,
)
