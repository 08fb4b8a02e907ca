"""CPTV, the Cacophony Project's thermal video, by the package cptv: raw counts of a Lepton, with times."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from tfake.thermal_io.frames import Frame, IncompleteError, Recording, ThermalFileError, check_size, normalised
from tfake.thermal_io.optional import import_optional


def open_cptv(file: BinaryIO) -> Recording:
    """Read a recording; the background frame that the camera may put first is left out.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: it has no header that can be read; or cptv is not installed.
    """
    cptv = import_optional("cptv")
    try:
        # cptv prints what it finds odd; the output is not its own.
        with contextlib.redirect_stdout(io.StringIO()):
            reader = cptv.CPTVReader(file)
        check_size(reader.y_resolution, reader.x_resolution)
    except ThermalFileError:
        raise
    except Exception as error:  # cptv raises whatever its parsing stumbles over
        raise ThermalFileError(f"its header cannot be read ({type(error).__name__}: {error})") from error
    announced = reader.num_frames or None
    return Recording("cptv", _frames(reader, announced), announced=announced)


def _frames(reader: Any, announced: int | None) -> Iterator[Frame]:
    read, start, reason = 0, None, ""
    frames = iter(reader)
    while True:
        try:
            frame = next(frames)
            pixels = normalised(frame.pix)
        except StopIteration:
            break
        except Exception as error:  # as above; what follows a damaged frame is a difference to it
            reason = f"what follows is damaged ({type(error).__name__}: {error})"
            break
        if frame.background_frame:
            continue
        read += 1
        seconds = None if frame.time_on is None else frame.time_on.total_seconds()
        start = seconds if start is None else start
        yield Frame(pixels, None if seconds is None else round(seconds - start, 6))
    if reason or read < (announced or 1):
        of = "" if announced is None else f" of {announced}"
        raise IncompleteError(f"read {read}{of} frames: {reason or 'the file ends there'}")
