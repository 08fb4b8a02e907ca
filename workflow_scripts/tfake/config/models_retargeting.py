"""Keys of the stills that are set in motion, `snakemake retargeting`."""

from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import StringConstraints

from tfake.config.keys import NAME_PATTERN, Name, Natural, Positive, Range, Section, Text, Unique, key
from tfake.config.models_sequences import Expression, Format

#: A driver's name is part of its sequences' ids, which have a fixed length.
DriverName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=20)]


class Driver(Section):
    """A film of a face, whose motion stills are given."""

    path: Text = key(..., "A film, in visible light, of one face that begins with an expression like the stills'.")
    expression: Expression = key(..., "What it is taken to show, the label of its sequences.")


class LivePortrait(Section):
    """A checkout of LivePortrait of the user's own, with its weights."""

    checkout: Text = key(..., "The folder that holds its inference.py.")
    python: Text = key("python", "The interpreter that has what it needs.")


class Retargeting(Section):
    """Stills of the source set in motion, `snakemake retargeting`: every still with every expression and every film."""

    seed: Natural = key(1, "Seed of the motion curves.")
    rows: Range[Annotated[int, Ge(0)]] = key(
        [0, 8],
        "First row of the faces store and stop (exclusive); those that the variant lacks are left out.",
        unit="rows",
    )
    variant: Name | None = key(
        None, "The variant whose temperatures move, made here in the source's geometry; null is the first of these."
    )
    expressions: Unique[Expression] = key(["neutral", "smile", "talk"], "Motion curves, one a sequence.")
    drivers: dict[DriverName, Driver] = key(
        ..., "Films of faces by name, {path, expression}: one more sequence of every still for each."
    )
    frames: int = key(32, "Frames of a sequence, which is a shard.", unit="frames", ge=1, le=100_000)
    frames_per_second: Positive = key(16.0, "Rate of the frames; films are sampled at it.", unit="frames/s")
    strength: float = key(1.0, "Factor on the expressions' movements, and on those of films.", unit="1", ge=0, le=2)
    most_degrees: float = key(6.0, "The head turns by at most this about each axis.", ge=0, le=20)
    live_portrait: LivePortrait | None = key(
        None,
        "Lets LivePortrait paint the sequences of films, {checkout, python}: 8 bits that are brought to each class's "
        "mean in the still, and no measured temperatures. Null warps them.",
    )
    tables: Literal["measured", "charlotte"] = key(
        "measured", "Parameters of the temperature model, as heat.tables: how warm the inside of a mouth is."
    )
    formats: Unique[Format] = key(["video", "mot", "coco"], "Exports, as of sequences.")
