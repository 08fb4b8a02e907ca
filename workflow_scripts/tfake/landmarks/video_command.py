"""The command line on videos: faces are followed in a first pass, and drawn and read in a second.

Smoothing by what comes later has its answer to the first frame when it has seen the last; frames are read twice, so
that memory holds one.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace

from tqdm import tqdm

from tfake.landmarks.inputs import Picture, Pictures
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.temperature_table import TemperatureTable
from tfake.landmarks.tracking import TrackedFaces, TrackingSettings
from tfake.landmarks.video import SEARCH_EVERY, SMOOTHINGS, track_pictures

_OPTIONS = ("rate", "smooth", "search_every", "temperatures")


def add_video_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of videos."""
    group = parser.add_argument_group("videos", "a film, a file of several frames, or a folder of them by name")
    group.add_argument("--track", action="store_true", help="follow faces: give each a track_id, and smooth its points")
    group.add_argument("--rate", type=float, help="frames a second, where files do not tell")
    group.add_argument("--smooth", choices=SMOOTHINGS, help="by frames before and after (default), before, or not")
    group.add_argument(
        "--search-every", type=int, help=f"search whole frames at least so often (default {SEARCH_EVERY})"
    )
    group.add_argument("--temperatures", help="write temperatures at named places to this .csv or .parquet")


def check_video_options(options: argparse.Namespace) -> None:
    """Refuse options that do not fit together.

    Raises:
        ValueError: with the options' names.
    """
    given = [f"--{name.replace('_', '-')}" for name in _OPTIONS if getattr(options, name) is not None]
    if given and not options.track:
        raise ValueError(f"{', '.join(given)}: only with --track")
    if options.track and (options.sliding_window or options.multi):
        raise ValueError("--track searches by itself: leave out --sliding-window and --multi")
    if options.rate is not None and not options.rate > 0:
        raise ValueError(f"--rate: expected frames a second above 0, found {options.rate}")


def follow(
    options: argparse.Namespace,
    pictures: Pictures,
    reopen: Callable[[], Pictures],
    landmarker: ThermalLandmarker,
    table: TemperatureTable | None,
) -> Iterator[tuple[Picture, TrackedFaces]]:
    """Each picture with the faces that were followed through it; their temperatures go to the table.

    Args:
        options: of the command line.
        pictures: what there is to look at; what cannot be is noted in it.
        reopen: lists the same once more.
        landmarker: what finds faces.
        table: where temperatures are collected.

    Raises:
        ValueError: temperatures are asked of a picture without; or what cannot be read, with ``--strict``.
    """
    if table is not None:
        pictures.items = map(_with_temperatures, pictures.items)
    # One picture cannot confirm what it shows.
    settings = replace(TrackingSettings(), confirmations=1) if pictures.count == 1 else None
    answers = track_pictures(
        landmarker,
        replace(pictures, items=tqdm(pictures.items, total=pictures.count, desc="tracking", disable=None)),
        options.rate,
        options.smooth or SMOOTHINGS[0],
        settings,
        SEARCH_EVERY if options.search_every is None else options.search_every,
        options.strict,
    )
    tracked = list(answers)
    unreadable = {name for name, _ in pictures.unreadable}
    readable = (picture for picture in reopen().items if picture.name not in unreadable)
    for number, (picture, faces) in enumerate(zip(readable, tracked, strict=True)):
        if table is not None:
            table.add(picture.image, picture.name, number if picture.frame is None else picture.frame, faces)
        yield picture, faces


def _with_temperatures(picture: Picture) -> Picture:
    if picture.interpretation.mode != "temperature":
        found = "; ".join(picture.interpretation.assumed)
        raise ValueError(
            f"--temperatures: {picture.name}: expected temperatures, found {found}; "
            "--values declares the scale of numbers that are no pixels"
        )
    return picture
