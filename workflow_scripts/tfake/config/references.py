"""What a schema cannot tell: names that refer to others, and values that must agree with each other."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from tfake.config.explaining import nearest
from tfake.config.faults import Fault, Path
from tfake.config.places import find_values
from tfake.config.plan import Plan
from tfake.config.plan_studies import EVERY_ROOM

#: The tables of temperatures that come with the library; each, like a user's own, begins with the rooms it answers for.
PRIORS = FilePath(__file__).parents[1] / "thermalizer/priors"
#: How far a table that does not state its rooms is followed beyond its columns, in kelvin.
_BEYOND_COLUMNS = 10

Config = Mapping[str, Any]


class References:
    """Looks names up, and says of a missing one whether the user took it away."""

    def __init__(self, removed: Collection[Path]) -> None:
        """Take what was removed.

        Args:
            removed: places of the entries that the config takes away.
        """
        self._removed = frozenset(removed)

    def check(self, path: Path, name: str, block: str, known: Collection[str]) -> Iterator[Fault]:
        """Find fault with a name that is none of those known.

        Args:
            path: the key that holds the name.
            name: what it holds.
            block: the block of the config whose names are meant.
            known: the names that it may hold.
        """
        if name in known:
            return
        taken = f"; your config takes {block}.{name} away" if (block, name) in self._removed else ""
        yield Fault(
            path, f"is {name!r}; the {block} are {', '.join(known) or 'none'}{taken or nearest(name, [*known])}"
        )


def find_conflicts(config: Config, removed: Collection[Path] = ()) -> list[Fault]:
    """Everything in a config that refers to what is not there, or contradicts something else in it.

    Args:
        config: complete, and valid by the schema.
        removed: places of the entries that it takes away (:func:`tfake.config.removal.take_away`).

    Returns:
        The faults. Later checks are made only where the earlier ones found nothing, for they build on them.
    """
    references = References(removed)
    for checks in (_FIRST, _SECOND):
        found = [fault for check in checks for fault in check(config, references)]
        if found:
            return found
    return []


def _check_conditions(config: Config, references: References) -> Iterator[Fault]:
    for name in config["conditions"]:
        if name == EVERY_ROOM:
            yield Fault(("conditions", name), "is a name that the ablation keeps for itself; choose another")
    for name in config["thermalizers"]:
        if name not in config["conditions"]:
            known = ", ".join(config["conditions"])
            yield Fault(("thermalizers", name), f"is for no condition; the conditions are {known}")
    for name, settings in config["thermalizers"].items():
        if "://" in settings["weights"] and settings["sha256"] is None:
            yield Fault(("thermalizers", name, "sha256"), "is null: weights from a URL need their SHA-256")


def _check_source(config: Config, references: References) -> Iterator[Fault]:
    """A published release says in its name how many samples it has."""
    source = config["source"]
    release = re.fullmatch(r"dataset_(\d+)(_parts)?", str(source["archive"]))
    if release and source["images"] > int(release[1]):
        yield Fault(("source", "images"), f"is {source['images']}; {release[0]} has {int(release[1])}")


def _check_ranges(config: Config, references: References) -> Iterator[Fault]:
    """Pairs of a lowest and a highest value."""
    for path in _RANGES:
        for place, value in find_values(config, path):
            if isinstance(value, list) and value[0] > value[1]:
                yield Fault(place, f"is {value}; expected the lower value first")


def _check_variants(config: Config, references: References) -> Iterator[Fault]:
    variants = config["variants"]
    recorded = [name for name in variants if "of" in variants[name]]
    bases = [name for name in variants if "condition" in variants[name] and "files" not in variants[name]]
    for name, settings in variants.items():
        path = ("variants", name)
        if name not in recorded:
            yield from references.check((*path, "condition"), settings["condition"], "conditions", config["conditions"])
            continue
        of = settings["of"]
        if of in variants and of not in bases:
            how = "recorded from another variant itself" if of in recorded else "published by others"
            yield Fault((*path, "of"), f"is {of!r}, which is {how}; it must be one of {', '.join(bases)}")
        else:
            yield from references.check((*path, "of"), of, "variants", bases)
        yield from references.check((*path, "camera"), settings["camera"], "cameras", config["cameras"])


def _check_cameras(config: Config, references: References) -> Iterator[Fault]:
    complete = [name for name, settings in config["cameras"].items() if "preset" not in settings]
    for name, settings in config["cameras"].items():
        preset = settings.get("preset")
        if preset in config["cameras"] and preset not in complete:
            text = f"is {preset!r}, which has a preset itself; it must be a complete camera: {', '.join(complete)}"
            yield Fault(("cameras", name, "preset"), text)
        elif preset is not None:
            yield from references.check(("cameras", name, "preset"), preset, "cameras", complete)


def _check_lists(config: Config, references: References) -> Iterator[Fault]:
    """Lists of names elsewhere in the config; null stands for all that fit."""
    variants = config["variants"]
    own = [name for name in variants if "files" not in variants[name]]
    uncropped = [name for name in variants if "of" not in variants[name]]
    for block, key, meant, known in (
        ("landmarks", "variants", "variants", uncropped),
        ("publication", "variants", "variants", own),
        ("ablation", "conditions", "conditions", config["conditions"]),
    ):
        for place, name in enumerate(config[block][key] or ()):
            yield from references.check((block, key, place), name, meant, known)
    reference = config["report"]["reference"]
    if reference["path"] is not None and reference["variant"] is not None:
        yield from references.check(("report", "reference", "variant"), reference["variant"], "variants", variants)


def _check_ambients(config: Config, references: References) -> Iterator[Fault]:
    plan = Plan(config)
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


def _check_images(config: Config, references: References) -> Iterator[Fault]:
    plan = Plan(config)
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


def _check_training(config: Config, references: References) -> Iterator[Fault]:
    """What a training would refuse after everything before it was made."""
    settings = config["thermalizer"]
    stride = 2 ** len(settings["decoder_channels"])
    if settings["image_pixels"] % stride:
        text = f"is {settings['image_pixels']}; expected a multiple of {stride}, the stride of its decoder_channels"
        yield Fault(("thermalizer", "image_pixels"), text)
    for block in ("thermalizer", "landmarks"):
        validates = config[block]["validate_every"] > 0 and config[block].get("validation_share", 1) > 0
        if config[block]["patience"] > 0 and not validates:
            yield Fault((block, "patience"), f"is {config[block]['patience']}; expected 0 where nothing is validated")
    low, high = settings["output_celsius"]
    plan = Plan(config)
    for name in plan.trained:
        rooms = plan.ambient_range(name)
        if not low <= rooms[0] <= rooms[1] <= high:
            shown = rooms[0] if rooms[0] == rooms[1] else list(rooms)
            yield Fault(
                ("conditions", name, "ambient_celsius"),
                f"is {shown}, which the network cannot give: thermalizer.output_celsius is [{low}, {high}]",
            )


def _check_priors(config: Config, references: References) -> Iterator[Fault]:
    """Rooms for which the table of the prior has no answer."""
    plan = Plan(config)
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


def _check_thresholds(config: Config, references: References) -> Iterator[Fault]:
    labels = config["labels"]
    if labels["reject_above"] < labels["retry_above"]:
        text = f"is {labels['reject_above']}; expected at least labels.retry_above, {labels['retry_above']}"
        yield Fault(("labels", "reject_above"), text)


_RANGES = (
    ("conditions", "*", "ambient_celsius"),
    ("cameras", "*", "face_pixels"),
    ("thermalizer", "output_celsius"),
    ("landmarks", "crop_scale"),
)
_Check = Callable[[Config, References], Iterator[Fault]]
_FIRST: tuple[_Check, ...] = (
    _check_source,
    _check_conditions,
    _check_ranges,
    _check_cameras,
    _check_variants,
    _check_lists,
)
_SECOND: tuple[_Check, ...] = (
    _check_ambients,
    _check_images,
    _check_training,
    _check_priors,
    _check_thresholds,
)
