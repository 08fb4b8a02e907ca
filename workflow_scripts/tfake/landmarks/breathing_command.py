"""``python -m tfake.landmarks breathing temperatures.csv``: how fast each face of a table of temperatures breathes."""

import argparse
import json
import sys
from pathlib import Path

from tfake.core.extras import needs_extra
from tfake.core.files import write_text_whole

#: The first argument that asks for it; a file of this name is ./breathing.
COMMAND = "breathing"


def run_breathing(arguments: list[str]) -> int:
    """Run the command; 0, or 1 after a message: the table cannot be used, or nobody's rate in it is valid."""
    options = _parser().parse_args(arguments)
    try:
        with needs_extra("landmarks", COMMAND):
            from tfake.landmarks.outputs import refuse_input
            from tfake.landmarks.temperature_table import breathing_of_tracks, read_table
        if options.output is not None:
            refuse_input(Path(options.output), [Path(options.table)], "-o")
        found = breathing_of_tracks(read_table(options.table))
        text = json.dumps({"breathing": found}, indent=1) + "\n"
        if options.output is None:
            sys.stdout.write(text)
        else:
            write_text_whole(options.output, text)
    except (OSError, ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    for face in found:
        if not face["valid"]:
            print(f"face {face['track_id']}: no rate to rely on: {face['reason']}", file=sys.stderr)
    return 0 if any(face["valid"] for face in found) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"python -m tfake.landmarks {COMMAND}",
        description="Breaths a minute of each face, by the temperatures below its nostrils that --temperatures wrote.",
    )
    parser.add_argument("table", help="a .csv or .parquet that --track --temperatures wrote; 30 s or more of a face")
    parser.add_argument("-o", "--output", help="the JSON file to write (default: to the terminal)")
    return parser
