"""Landmarks from the command line: ``python -m tfake.landmarks image.png -w weights.pt -o out.json --draw out.png``.

The input is a file of any format in :data:`tfake.thermal_io.FORMATS`, or a folder of such; the output is one JSON file
with an entry an image. Drawings go to one file for an image, to a folder for a folder, to a video for a video.
``--track`` follows faces through a video, and reads their temperatures (:mod:`tfake.landmarks.video_command`).
``adapt FOLDER -o mine.pt`` fits the landmarker to a camera (:mod:`tfake.landmarks.adapt_command`); ``breathing
temperatures.csv`` tells how fast people breathe (:mod:`tfake.landmarks.breathing_command`).
``--onnx`` takes an exported landmarker, and needs no torch: nothing that needs it is imported up here.
Everything that can be read is answered; what cannot is listed, in the JSON and on stderr, and makes the exit status 1.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfake.core.extras import needs_extra
from tfake.detector.face_detector import LOOKS
from tfake.labels.conventions import set_of_points
from tfake.landmarks import adapt_command, breathing_command
from tfake.landmarks.inputs import Picture, Pictures, Unreadable, open_pictures
from tfake.landmarks.landmarker import CONFIDENCE, LandmarkDetections, ThermalLandmarker
from tfake.landmarks.onnx_finder import ARITHMETIC, LANDMARKS_FORMAT, OnnxSession
from tfake.landmarks.onnx_int8 import MOST_MOVED
from tfake.landmarks.outputs import Drawings, JsonOutput, draw_faces, with_legend
from tfake.landmarks.point_finder import SHIPPED
from tfake.landmarks.preprocessing import MODES, VISIBLE_LIGHT
from tfake.landmarks.temperature_table import TemperatureTable, breathing_of_tracks
from tfake.landmarks.tracking import TrackedFaces
from tfake.landmarks.video_command import add_video_options, check_video_options, follow
from tfake.thermal_io.films import DEFAULT_RATE
from tfake.thermal_io.pictures import points_as_stored, turn_upright
from tfake.thermal_io.scales import parse_scale

_COORDINATES = "pixels, centres at integers, in the rows and columns that the file stores"
_NAMED = 5
#: What the first argument may ask for in place of an input.
_COMMANDS = {
    adapt_command.COMMAND: adapt_command.run_adapt,
    breathing_command.COMMAND: breathing_command.run_breathing,
}


def describe(picture: Picture, faces: LandmarkDetections, tracked: TrackedFaces | None = None) -> dict:
    """An image's entry of the JSON file: what it is and its faces by descending confidence, or by track, in pixels."""
    entry: dict[str, Any] = {"image": picture.name}
    if picture.frame is not None or tracked is not None:
        seconds = picture.time_seconds if tracked is None else tracked.time_seconds
        entry |= {"frame": picture.frame, "time_seconds": None if seconds is None else round(seconds, 6)}
    height, width = picture.image.shape[:2]
    entry |= {"size": [width, height], "assumed": list(picture.interpretation.assumed)}
    if picture.interpretation.palette is not None:
        entry["masked"] = picture.interpretation.masked
    if picture.orientation != 1:
        entry["orientation"] = picture.orientation
    entry["faces"] = [
        {
            "box": [round(float(value), 2) for value in box],
            "score": round(float(score), 6),
            **({} if np.isnan(confidence) else {"confidence": round(float(confidence), 4)}),
            "landmarks": [[round(float(value), 2) for value in point] for point in points],
            "sigma_pixels": [round(float(value), 3) for value in sigma],
            "valid": valid.tolist(),
        }
        for box, score, confidence, points, sigma, valid in zip(
            faces.boxes, faces.score, faces.confidence, faces.landmarks, faces.sigma, faces.valid, strict=True
        )
    ]
    if tracked is not None:
        for face, track_id, observed in zip(entry["faces"], tracked.track_ids, tracked.observed, strict=True):
            face |= {"track_id": int(track_id), "observed": bool(observed)}
    return entry


def find_faces(
    landmarker: ThermalLandmarker, picture: Picture, sliding_window: bool, multi: bool
) -> LandmarkDetections:
    """Look for faces in a picture as its orientation tag turns it, and answer in its pixels as they are stored.

    For the options see :meth:`ThermalLandmarker.process`.
    """
    upright = turn_upright(picture.image, picture.orientation)
    faces = landmarker.process(upright, sliding_window, multi, picture.mode)
    return replace(faces, landmarks=points_as_stored(faces.landmarks, picture.orientation, upright.shape[:2]))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0, or 1 after a message, where anything could not be read or written."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for command, run in _COMMANDS.items():
        if arguments[:1] == [command]:
            return run(arguments[1:])
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.input is None and not options.export:
        parser.error("name an image, a folder or a video (or --export)")
    if options.int8 and (options.float32 or not options.export):
        parser.error("--int8 goes with --export, and without --float32")
    try:
        if options.export:
            return _export(options)
        return _run(options)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1


def _export(options: argparse.Namespace) -> int:
    with needs_extra("landmarks", "--export"):
        from tfake.landmarks.calibration_crops import calibration_crops
        from tfake.landmarks.onnx_export import export_landmarker
        from tfake.landmarks.onnx_int8 import Int8Arithmetic
    arithmetic = None
    if options.int8:
        crops = calibration_crops(options.int8, _load(options))
        arithmetic = Int8Arithmetic(crops, options.most_moved)
    written = export_landmarker(
        options.weights, options.export, options.points, not options.float32, options.detector, arithmetic
    )
    for path in written:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
    if arithmetic is not None:
        moved = OnnxSession(written[0], LANDMARKS_FORMAT).metadata[ARITHMETIC]
        print(
            f"8-bit arithmetic moves 95 % of the points by less than {moved['most']:.4f} crop widths, on "
            f"{moved['crops']} faces; standard deviations are {moved['sigma_ratio']:.2f} times as large",
            file=sys.stderr,
        )
    return 0


def _load(options: argparse.Namespace) -> ThermalLandmarker:
    return ThermalLandmarker(
        options.weights,
        options.device,
        options.threshold,
        n_landmarks=options.points,
        detector=options.detector,
        confidence=options.confidence,
        looks=options.looks,
    )


def _run(options: argparse.Namespace) -> int:
    check_video_options(options)
    scale = None if options.values is None else parse_scale(options.values)
    draw = [Path(options.draw)] if options.draw else []
    reopen = partial(open_pictures, options.input, options.mode, scale, options.strict, exclude=draw)
    pictures = reopen()
    if options.track and pictures.single and pictures.count != 1:
        pictures.rate = pictures.rate or options.rate or DEFAULT_RATE
    if draw and Path(options.input).is_dir() and os.path.realpath(options.draw) == os.path.realpath(options.input):
        raise ValueError(f"--draw: {options.draw} is the folder of the inputs; name another place")
    inputs = [*(file for _, file in pictures.files), Path(options.weights)]
    inputs += [] if options.detector is None else [Path(options.detector)]
    with ExitStack() as stack:
        output = stack.enter_context(JsonOutput(options.output, inputs))
        drawings = stack.enter_context(Drawings(options.draw, pictures, inputs, output.path)) if options.draw else None
        table = None
        if options.temperatures:
            table = stack.enter_context(TemperatureTable(options.temperatures, [*inputs, *_outputs(options)]))
        landmarker = _load(options)
        if options.track:
            found = follow(options, pictures, reopen, landmarker, table)
        else:
            found = _find_all(options, pictures, landmarker)
        entries, faceless = _answer_all(found, drawings)
        summary = _summary(pictures, entries)
        if options.track:
            summary["tracks"] = len({face["track_id"] for entry in entries for face in entry["faces"]})
        if table is not None:
            summary["breathing"] = breathing_of_tracks(table.write())
        output.write(
            {
                "weights": Path(options.weights).name,
                "point_set": set_of_points(landmarker.n_landmarks),
                "coordinates": _COORDINATES,
                "images": entries,
                "unreadable": [{"image": name, "reason": reason} for name, reason in pictures.unreadable],
                "summary": summary,
            }
        )
    _report(summary, pictures.unreadable, faceless)
    return 1 if pictures.unreadable or not entries else 0


def _outputs(options: argparse.Namespace) -> list[Path]:
    return [Path(path) for path in (options.output, options.draw) if path]


def _find_all(
    options: argparse.Namespace, pictures: Pictures, landmarker: ThermalLandmarker
) -> Iterator[tuple[Picture, LandmarkDetections]]:
    single = pictures.single and pictures.count == 1
    for picture in tqdm(pictures.items, total=pictures.count, desc="landmarks", disable=single or None):
        try:
            faces = find_faces(landmarker, picture, options.sliding_window, options.multi)
        except ValueError as error:
            if options.strict:
                raise ValueError(f"{picture.name}: {error}") from error
            pictures.unreadable.append(Unreadable(picture.name, str(error)))
            continue
        yield picture, faces


def _answer_all(
    found: Iterable[tuple[Picture, LandmarkDetections | TrackedFaces]], drawings: Drawings | None
) -> tuple[list[dict], list[str]]:
    """The entries; and the names of pictures in colours in which no face was found."""
    entries, faceless = [], []
    for picture, answer in found:
        tracked = answer if isinstance(answer, TrackedFaces) else None
        faces = answer if tracked is None else tracked.faces
        entries.append(describe(picture, faces, tracked))
        if VISIBLE_LIGHT in picture.interpretation.assumed and not len(faces):
            faceless.append(picture.name)
        if drawings is not None:
            ids = () if tracked is None else tracked.track_ids
            drawings.write(picture, with_legend(draw_faces(picture.image, faces, picture.mode, ids)))
    return entries, faceless


def _summary(pictures: Pictures, entries: list[dict]) -> dict:
    return {
        "files": len(pictures.files),
        "pictures": len(entries),
        "with_faces": sum(bool(entry["faces"]) for entry in entries),
        "faces": sum(len(entry["faces"]) for entry in entries),
        "unreadable": len(pictures.unreadable),
        "assumed": dict(Counter(said for entry in entries for said in entry["assumed"])),
        "left_out": pictures.skipped,
    }


def _report(summary: dict, unreadable: list[Unreadable], faceless: list[str]) -> None:
    """What a run did, on stderr: stdout may be the JSON."""
    lines = [
        f"files: {summary['files']}; pictures read: {summary['pictures']}; faces: {summary['faces']}, in "
        f"{summary['with_faces']} pictures; not read, or not wholly: {summary['unreadable']}"
    ]
    lines += [f"  {count} x {said}" for said, count in summary["assumed"].items()]
    if summary["left_out"]:
        lines.append("  left out: " + ", ".join(f"{n} {suffix or '?'}" for suffix, n in summary["left_out"].items()))
    if faceless:
        more = f" and {len(faceless) - _NAMED} more" if len(faceless) > _NAMED else ""
        lines.append(
            f"  no face in {', '.join(faceless[:_NAMED])}{more}, taken for visible light: a thermal picture in false "
            "colours of a palette that is not known must be saved in gray or as temperatures"
        )
    lines += [f"not read: {name}: {reason}" for name, reason in unreadable]
    print("\n".join(lines), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tfake.landmarks", description="Landmarks of thermal images.")
    parser.add_argument(
        "input", nargs="?", help="an image, a folder of images or a video; docs/data.md has the formats"
    )
    parser.add_argument(
        "-w",
        "--weights",
        default=str(SHIPPED),
        help="weights of this workflow, or those that TFAN released (default: the package's own)",
    )
    parser.add_argument(
        "--onnx",
        dest="weights",
        help="an exported landmarker in place of weights: the folder, or its landmarks.onnx; needs no torch",
    )
    parser.add_argument("--points", type=int, choices=(70, 478), help="of weights for both sets (default: 70)")
    parser.add_argument(
        "--confidence", type=float, default=CONFIDENCE, help=f"of a detected face, at least (default: {CONFIDENCE})"
    )
    parser.add_argument(
        "--looks",
        type=int,
        choices=range(1, len(LOOKS) + 1),
        help="how often the detector searches a picture; 3 errs less on hard pictures, at three times the cost",
    )
    parser.add_argument("--detector", help="a face detector's weights, in place of the one in the weights")
    parser.add_argument("-o", "--output", help="the JSON file to write (default: to the terminal)")
    parser.add_argument("--draw", help="where to draw: a file, a folder for a folder, a video or a folder for a video")
    parser.add_argument("--sliding-window", action="store_true", help="search for faces in the whole image")
    parser.add_argument("--multi", action="store_true", help="with --sliding-window: several faces")
    parser.add_argument("--mode", choices=MODES, default="auto", help="how values are shown (default: by their type)")
    parser.add_argument(
        "--values", help="what they are: celsius, kelvin, fahrenheit, counts:PER_KELVIN[:OFFSET], relative"
    )
    parser.add_argument("--strict", action="store_true", help="stop at the first file that cannot be read")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threshold", type=float, help="mean sigma, in crop widths, below which a window is a face")
    add_video_options(parser)
    parser.add_argument("--export", help="write the networks as ONNX into this folder, and look at no image")
    parser.add_argument("--float32", action="store_true", help="with --export: four times as large, not 8-bit filters")
    parser.add_argument(
        "--int8",
        metavar="FACES",
        help="with --export: compute in 8 bits, too, calibrated on faces of these pictures, or of a folder of results",
    )
    parser.add_argument(
        "--most-moved",
        type=float,
        default=MOST_MOVED,
        help=f"with --int8: refuse to move points by more, in crop widths (default: {MOST_MOVED})",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
