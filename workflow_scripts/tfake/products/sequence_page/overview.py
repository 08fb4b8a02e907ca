"""The page of the sequences: all of them to choose from, a player with curves, and what went wrong."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import tfake
from tfake.pages.charts import page_series
from tfake.pages.page_images import offered_palettes, photo_uri
from tfake.pages.page_scripts import HERE, write_data
from tfake.pages.template_environment import template_environment
from tfake.products.exports.film_files import PREVIEW_SCALE, frame_rate, preview_side, thermal_images, write_preview
from tfake.products.exports.sequence_video import describe_sequence
from tfake.products.sequence_page.clip_data import COUNTS, MOST_CELLS, describe_clip, shrink_frames
from tfake.products.sequence_page.failures import Failure, count_unread, find_failures, find_missing
from tfake.products.sequence_page.place_traces import PlaceTrace, draw_up_charts, read_places
from tfake.reader.sequences import SequenceDataset, ThermalSequence
from tfake.thermal_io.scales import spread_evenly

_TEMPLATE = "sequences.html.jinja"


@dataclass(frozen=True)
class ShownSequence:
    """A sequence on the page.

    Attributes:
        about: what all its frames have in common, as :func:`describe_sequence` has it.
        facts: the same and the body's rates, as sentences.
        poster: data URI of its frame of the strongest expression.
        traces: temperatures of places.
        failures: of its frames.
    """

    about: dict[str, str | int]
    facts: list[str]
    poster: str
    traces: Sequence[PlaceTrace]
    failures: Sequence[Failure]


def write_clips(sequences: SequenceDataset, most: int, data: Path, films: Path) -> list[ShownSequence]:
    """Write the films and the data of some sequences.

    Args:
        sequences: all of them.
        most: how many are shown at most, spread evenly.
        data: the folder for ``{id}.js``.
        films: the folder for ``{id}.mp4``.

    Returns:
        What the page says of each.
    """
    for folder in (data, films):
        folder.mkdir(parents=True)
    write_data(data, HERE, {})
    rate = frame_rate(sequences)
    return [_write_clip(sequences[int(i)], rate, data, films) for i in spread_evenly(range(len(sequences)), most)]


def _write_clip(sequence: ThermalSequence, rate: Fraction, data: Path, films: Path) -> ShownSequence:
    traces, celsius = read_places(sequence), shrink_frames(sequence)
    charts = draw_up_charts(sequence, traces)
    write_data(data, sequence.sequence_id, describe_clip(sequence, celsius, charts))
    write_preview(films / f"{sequence.sequence_id}.mp4", thermal_images(sequence), rate)
    strongest = int(np.argmax(sequence.read("intensity")))
    poster = photo_uri(PREVIEW_SCALE.paint(sequence.read("thermal", [strongest])[0]))
    failures = find_failures(sequence, celsius)
    return ShownSequence(describe_sequence(sequence), _facts(sequence), poster, traces, failures)


def _facts(sequence: ThermalSequence) -> list[str]:
    curves = sequence.curves()
    sex = sequence.apparent_sex.name.lower()
    return [
        f"person {sequence.subject_id} (drawn {sex})",
        f"look {sequence.look}",
        f"expression {sequence.expression.name.lower()}",
        f"state {sequence.state.name.lower()}",
        f"{curves['breaths_per_minute'][0]:.1f} breaths a minute",
        f"{curves['beats_per_minute'][0]:.1f} beats a minute",
    ]


def render_sequences(
    page: str | Path, sequences: SequenceDataset, shown: Iterable[ShownSequence], data: Path, films: Path
) -> str:
    """Fill the template.

    Args:
        page: where the page will lie; links are relative to it.
        sequences: all of them.
        shown: from :func:`write_clips`.
        data: the folder of their data.
        films: the folder of their films.

    Returns:
        The page: HTML that refers to nothing but its own folder.
    """
    shown, folder = list(shown), Path(page).parent
    pixels = int(sequences.attributes["settings"]["image_pixels"])
    cells = min(pixels, MOST_CELLS)
    environment = template_environment()
    environment.filters["link"] = lambda path: os.path.relpath(path, folder).replace(os.sep, "/")
    report: dict[str, Any] = {
        "folder": os.path.relpath(data, folder),
        "films": os.path.relpath(films, folder),
        "series": page_series(),
        "colours": offered_palettes()[PREVIEW_SCALE.palette],
        "low": PREVIEW_SCALE.low,
        "high": PREVIEW_SCALE.high,
        "counts": COUNTS,
        "frames": sequences.frames,
        "rate": sequences.frames_per_second,
        "cells": cells,
        "pixels": pixels,
        "film_pixels": preview_side(pixels),
        "sequences": [{"id": own.about["sequence_id"], "facts": own.facts} for own in shown],
    }
    people = list(dict.fromkeys(own.about["subject_id"] for own in shown))
    return environment.get_template(_TEMPLATE).render(
        sequences=sequences,
        shown=shown,
        by_person={person: [own for own in shown if own.about["subject_id"] == person] for person in people},
        people=len(set(sequences.subject_ids)),
        pixels=pixels,
        cells=cells,
        scale=PREVIEW_SCALE,
        failures=[*find_missing(sequences), *(failure for own in shown for failure in own.failures)],
        unread=count_unread(own.traces for own in shown),
        report=report,
        version=tfake.__version__,
    )
