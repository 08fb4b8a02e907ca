"""``python -m tfake.landmarks adapt FOLDER -o mine.pt``: the landmarker adapted to one's own camera, without labels."""

import argparse
import sys
from dataclasses import fields

from tfake.core.extras import needs_extra
from tfake.landmarks.point_finder import SHIPPED
from tfake.thermal_io.scales import parse_scale

#: The first argument that asks for it; a folder of this name is ./adapt.
COMMAND = "adapt"


def run_adapt(arguments: list[str]) -> int:
    """Run the command; 0, or 1 after a message: nothing was written then."""
    options = _parser().parse_args(arguments)
    try:
        with needs_extra("landmarks", COMMAND):
            from tfake.landmarks.adaptation import AdaptationSettings, adapt_landmarker
            from tfake.landmarks.adaptation_faces import AdaptationRefusedError
        given = {field.name: getattr(options, field.name, None) for field in fields(AdaptationSettings)}
        settings = AdaptationSettings(**{name: value for name, value in given.items() if value is not None})
        try:
            adapt_landmarker(
                options.input,
                str(SHIPPED) if options.weights == "default" else options.weights,
                options.output,
                settings,
                options.device,
                options.rate,
                None if options.values is None else parse_scale(options.values),
                options.subjects,
                options.detector,
                say=lambda line: print(line, file=sys.stderr),
            )
        except AdaptationRefusedError as error:
            print(error, file=sys.stderr)
            return 1
    except (OSError, ValueError, RuntimeError, ImportError, ArithmeticError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output}: written", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"python -m tfake.landmarks {COMMAND}",
        description="Adapt a landmarker to a camera by its pictures, without labels; refused where it gets worse.",
    )
    parser.add_argument("input", help="a folder of pictures and videos of the camera, or one video")
    parser.add_argument("-w", "--weights", default="default", help="what to begin with (default: the package's own)")
    parser.add_argument("-o", "--output", required=True, help="the landmarker to write; a JSON goes beside it")
    parser.add_argument("--part", help="detector, points or both (default: the detector, where there is one)")
    parser.add_argument("--steps", type=int, help="of the points' training (default: 100)")
    parser.add_argument("--learning-rate", type=float, help="at its peak (default: 0.0003)")
    parser.add_argument("--share", type=float, help="of the way from the old points' weights to the new (default: 0.2)")
    parser.add_argument("--held-out-share", type=float, help="of the subjects, to check on (default: 0.25)")
    parser.add_argument("--seed", type=int, help="of the training's crops (default: 0)")
    parser.add_argument("--subjects", help="a regular expression: who is on a picture, by its name (default: its file)")
    parser.add_argument("--rate", type=float, help="frames a second, where videos do not tell")
    parser.add_argument("--values", help="what numbers are: celsius, kelvin, fahrenheit, counts:..., relative")
    parser.add_argument("--detector", help="a face detector's weights, in place of the one in the weights")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    return parser
