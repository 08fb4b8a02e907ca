"""What is in a test set: ``python -m tfake.evaluation_sets charlotte FOLDER -o account.csv``.

Prints how many rows are used and left out, by fault, and writes every fault by row. Some of the images are judged by
their temperatures.
"""

import argparse
import json
import sys

from tfake.test_sets.annotated_faces import declare_scale
from tfake.test_sets.catalogue import KINDS
from tfake.test_sets.charlotte import open_charlotte
from tfake.thermal_io.scales import SCALE_NAMES

_SCALES = (*SCALE_NAMES, "counts:PER_KELVIN:KELVIN_OF_COUNT_0")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None: the process's own.

    Returns:
        0, or 1 after a message about what cannot be read, or is not what was declared.
    """
    parser = argparse.ArgumentParser("python -m tfake.evaluation_sets", description="The account of a test set.")
    parser.add_argument("kind", choices=KINDS, help="how the set is laid out")
    parser.add_argument("path", help="its folder or zip")
    parser.add_argument("-o", "--output", help="the CSV to write, a row a fault")
    parser.add_argument(
        "--values", default="celsius", help="what images of more than 8 bits hold: " + ", ".join(_SCALES)
    )
    parser.add_argument("--without-images", action="store_true", help="charlotte alone: read annotations only")
    options = parser.parse_args(arguments)
    try:
        if options.kind == "charlotte":
            found = open_charlotte(options.path, images_needed=not options.without_images)
        else:
            found = KINDS[options.kind].open(options.path)
        if not options.without_images:
            declare_scale(found, options.values, options.path)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found.read_log.summary(), indent=1))
    if options.output:
        found.read_log.save(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
