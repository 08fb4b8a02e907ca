"""``python -m tfake.compare A B``: what two datasets differ in. Ends with 0 when their stores are the same, else 1."""

import argparse
import sys
from collections.abc import Sequence

from tfake.products.comparison import compare_datasets, compare_pixels, read_dataset, write_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two datasets and print how they differ.

    Args:
        arguments: of the command line; None takes the process's own.

    Returns:
        0 when the stores are the same, 1 when they differ, 2 when a folder holds no dataset; as diff does.
    """
    parser = argparse.ArgumentParser("python -m tfake.compare", description="What two datasets differ in.")
    for name in ("first", "second"):
        parser.add_argument(name, help="a folder of results, or a published dataset")
    parser.add_argument("--pixels", type=int, default=0, metavar="N", help="also compare the pixels of N images")
    wanted = parser.parse_args(arguments)
    try:
        first, second = read_dataset(wanted.first), read_dataset(wanted.second)
        comparison = compare_datasets(first, second)
        pixels = compare_pixels(first, second, wanted.pixels) if wanted.pixels else ()
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(write_text(comparison, pixels))
    return 0 if comparison.identical else 1


if __name__ == "__main__":
    sys.exit(main())
