"""Write the page of what landmark networks weigh and how fast they are."""

import json
from pathlib import Path

from tfake.core.files import write_text_whole
from tfake.studies.speed_page import render_speed


def describe_landmark_speed(page: str, speed: str) -> None:
    """Write the page.

    Args:
        page: the HTML to write.
        speed: the JSON of ``measure_landmark_speed``.
    """
    write_text_whole(page, render_speed(json.loads(Path(speed).read_text())))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    describe_landmark_speed(page=snakemake.output.page, speed=snakemake.input.speed)
