"""Films, with times: by PyAV, gray ones of up to 16 bits as stored and all others as 8-bit pictures; and CPTV.

How a film is to be turned, as phones write it, is told and not followed, as of pictures.

CPTV is the Cacophony Project's thermal video, read by the package cptv: raw counts of a Lepton.
"""

import contextlib
import io
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from tfake.thermal_io.frames import (
    Frame,
    IncompleteError,
    Recording,
    ThermalFileError,
    check_size,
    import_optional,
    normalised,
)
from tfake.thermal_io.pictures import orientation_of_matrix

FILM_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")
DEFAULT_RATE = 25.0
# What an AVI says of 16-bit counts that are not compressed; FFmpeg knows no decoder of these names.
_RAW_COUNTS = re.compile(rb"strf.{4}\x28\0{3}(?P<width>.{4})(?P<height>.{4})\x01\0\x10\0(?:Y16 |Y1\0\x10)", re.DOTALL)
_HEAD_BYTES = 1 << 16
# Frames that the announced length may be off by, where there is no count: that of the stream (Matroska's tag) is exact
# but for rounding, that of the whole film may be another stream's.
_STREAM_SLACK_FRAMES, _FILM_SLACK_FRAMES = 0.5, 1.5
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def open_film(file: BinaryIO) -> Recording:
    """Read the first video stream of a film.

    Raises:
        ThermalFileError: no such film or stream, no decoder for it; or PyAV is not installed.
    """
    av = import_optional("av")
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    try:
        container = av.open(file, mode="r", metadata_errors="replace")
        streams = container.streams.video
        codec = streams[0].codec_context if streams else None
        size = codec and (codec.height, codec.width)
    except Exception as error:  # PyAV's errors are of many kinds, UnicodeDecodeError and MemoryError among them
        raise ThermalFileError(f"it cannot be opened as a film ({error})") from error
    if not streams:
        raise ThermalFileError("it has no video stream")
    stream, raw = streams[0], None
    if codec is None and (raw := _RAW_COUNTS.search(head)):
        size = (abs(int.from_bytes(raw["height"], "little", signed=True)), int.from_bytes(raw["width"], "little"))
    if not size:
        raise ThermalFileError("this PyAV has no decoder for its video stream")
    check_size(*size)
    # Threads are the caller's affair.
    orientation = 1
    if codec is not None:
        codec.thread_type = "NONE"
        orientation = _orientation(av, file)
    announced = stream.frames if stream.frames > 0 else None
    frames = _film_frames(container, stream, announced, size if raw else None)
    return Recording("film", frames, announced=announced, orientation=orientation)


def frame_rate(file: BinaryIO) -> float:
    """The frames a second that a film says it has; ``DEFAULT_RATE`` where it does not say."""
    with import_optional("av").open(file, mode="r", metadata_errors="replace") as container:
        return float(container.streams.video[0].average_rate or DEFAULT_RATE)


def open_cptv(file: BinaryIO) -> Recording:
    """Read a recording; the background frame that the camera may put first is left out.

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
    return Recording("cptv", _cptv_frames(reader, announced), announced=announced)


def _orientation(av: ModuleType, file: BinaryIO) -> int:
    """The orientation, 1 to 8, that the first frame is to be turned by; 1 where none is told, or no frame can be read.

    A reader of its own decodes it: the frames are then read from the first one on.
    """
    place = file.tell()
    file.seek(0)
    try:
        with av.open(file, mode="r", metadata_errors="replace") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_type = "NONE"
            matrix = next(container.decode(stream)).side_data.get("DISPLAYMATRIX")
            return 1 if matrix is None else orientation_of_matrix(np.frombuffer(matrix, np.int32).reshape(3, 3))
    except Exception:  # as above; whoever takes the frames hears of it
        return 1
    finally:
        file.seek(place)


def _film_frames(
    container: Any, stream: Any, announced: int | None, raw_size: tuple[int, int] | None
) -> Iterator[Frame]:
    read, end, reason = 0, 0.0, ""
    start: float | None = None
    with container:
        for found in _decoded(container, stream, raw_size):
            if isinstance(found, str):
                reason = reason or found
                continue
            pixels, time = found
            read += 1
            if time is None:
                yield Frame(pixels)
                continue
            start, end = time if start is None else start, time
            yield Frame(pixels, round(time - start, 6))
        short = _missing_seconds(container, stream, end) if announced is None else ""
    if read == 0 or reason or short or read < (announced or 0):
        of = "" if announced is None else f" of {announced}"
        raise IncompleteError(f"read {read}{of} frames: {reason or (read and short) or 'the film ends there'}")


def _decoded(
    container: Any, stream: Any, raw_size: tuple[int, int] | None
) -> Iterator[tuple[np.ndarray, float | None] | str]:
    """Pixels and time of each frame; or, for what is damaged, how."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            if raw_size is None:
                frames = [(None if frame.is_corrupt else _pixels(frame), frame.time) for frame in packet.decode()]
            else:
                frames = [_as_counts(packet, raw_size)] if packet.size else []
        except (StopIteration, EOFError):
            return
        except ThermalFileError:
            raise
        except Exception as error:  # as above; a later packet may be whole
            yield f"damaged ({error})"
            if isinstance(error, (MemoryError, RuntimeError)):
                return
            continue
        for pixels, time in frames:
            yield "damaged" if pixels is None else (pixels, time)


def _as_counts(packet: Any, size: tuple[int, int]) -> tuple[np.ndarray, float | None]:
    counts = np.frombuffer(bytes(packet), "<u2").astype(np.uint16).reshape(size)
    return counts, None if packet.pts is None else float(packet.pts * packet.time_base)


def _missing_seconds(container: Any, stream: Any, end: float) -> str:
    """What is missing of the length that a film announces, in words; empty where nothing is."""
    rate = float(stream.average_rate or 0)
    tag = _CLOCK.match(stream.metadata.get("DURATION", ""))
    if not (tag or container.duration) or not rate:
        return ""
    if tag:
        length, slack = int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]), _STREAM_SLACK_FRAMES
    else:
        length, slack = (container.duration + (container.start_time or 0)) / 1e6, _FILM_SLACK_FRAMES
    missing = length - (end + 1 / rate)
    return f"it ends at {end:.2f} s of {length:.2f} s" if missing * rate > slack else ""


def _pixels(frame: Any) -> np.ndarray:
    check_size(frame.height, frame.width)
    components = frame.format.components
    if len(components) > 1 or frame.format.name.startswith(("pal", "mono")):
        return frame.to_ndarray(format="bgr24")
    bits = components[0].bits
    if bits > 16:
        raise ThermalFileError(f"gray frames of {bits} bits ({frame.format.name}) are not read")
    # Read from the plane itself: PyAV's conversions stretch 10, 12 and 14 bits over 16.
    plane = frame.planes[0]
    stored = np.dtype(np.uint8) if bits <= 8 else np.dtype(">u2" if frame.format.name.endswith("be") else "<u2")
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height]
    values = rows[:, : frame.width * stored.itemsize].copy().view(stored)
    return np.ascontiguousarray(values, dtype=stored.newbyteorder("="))


def _cptv_frames(reader: Any, announced: int | None) -> Iterator[Frame]:
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
