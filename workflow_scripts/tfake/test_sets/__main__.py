"""What is in a test set: ``python -m tfake.test_sets charlotte FOLDER -o read_log.csv``.

Prints how many rows are used and excluded, by fault, and writes every fault by row. Some of the images are judged by
their temperatures.
"""

import argparse
import json
import sys

from tfake.test_sets.catalogue import KINDS
from tfake.test_sets.charlotte import open_charlotte
from tfake.thermal_io.scales import SCALE_NAMES

_SCALES = (*SCALE_NAMES, "counts:PER_KELVIN:KELVIN_OF_COUNT_0")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0, or 1 after a message about what cannot be read, or is not what was declared."""
    parser = argparse.ArgumentParser("python -m tfake.test_sets", description="What is in a test set.")
    parser.add_argument("kind", choices=KINDS, help="how the set is laid out")
    parser.add_argument("path", help="its folder or zip")
    parser.add_argument("-o", "--output", help="the CSV to write, a row a fault")
    parser.add_argument(
        "--values", default="celsius", help="what images of more than 8 bits hold: " + ", ".join(_SCALES)
    )
    parser.add_argument("--without-images", action="store_true", help="read no image; of charlotte, annotations alone")
    options = parser.parse_args(arguments)
    kind = KINDS[options.kind]
    try:
        if not options.without_images:
            test_set = kind.load(options.path, options.values)
        elif options.kind == "charlotte":
            test_set = open_charlotte(options.path, images_needed=False)
        else:
            test_set = kind.open(options.path)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(test_set.read_log.summary(), indent=1))
    if options.output:
        test_set.read_log.save(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
