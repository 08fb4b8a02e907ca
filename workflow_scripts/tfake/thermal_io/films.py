"""Films, by PyAV: gray ones of up to 16 bits with the values that are stored, all others as 8-bit pictures."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from tfake.thermal_io.frames import Frame, IncompleteError, Recording, ThermalFileError, check_size
from tfake.thermal_io.optional import import_optional

FILM_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")
DEFAULT_RATE = 25.0
# Frames that a film's length may be off by, where it announces a length and no count.
_SLACK_FRAMES = 1.5


def open_film(file: BinaryIO) -> Recording:
    """Read the first video stream of a film.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: no such film or stream, no decoder for it; or PyAV is not installed.
    """
    av = import_optional("av")
    try:
        container = av.open(file, mode="r", metadata_errors="replace")
        stream = container.streams.video[0] if container.streams.video else None
        codec = stream and stream.codec_context
        size = codec and (codec.height, codec.width)
    except Exception as error:  # PyAV's errors are of many kinds, UnicodeDecodeError and MemoryError among them
        raise ThermalFileError(f"it cannot be opened as a film ({error})") from error
    if not size:
        raise ThermalFileError("this PyAV has no decoder for its video stream" if stream else "it has no video stream")
    check_size(*size)
    # Threads are the caller's affair.
    codec.thread_type = "NONE"
    announced = stream.frames if stream.frames > 0 else None
    return Recording("film", _frames(container, stream, announced), announced=announced)


def frame_rate(file: BinaryIO) -> float:
    """The frames a second that a film says it has; ``DEFAULT_RATE`` where it does not say.

    Args:
        file: of a film that could be opened.
    """
    with import_optional("av").open(file, mode="r", metadata_errors="replace") as container:
        return float(container.streams.video[0].average_rate or DEFAULT_RATE)


def _frames(container: Any, stream: Any, announced: int | None) -> Iterator[Frame]:
    read, start, end, reason = 0, None, 0.0, ""
    with container:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
                decoded = packet.decode()
            except StopIteration:
                break
            except EOFError:
                break
            except Exception as error:  # as above; a later packet may be whole
                reason = reason or f"damaged ({error})"
                if isinstance(error, (MemoryError, RuntimeError)):
                    break
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    reason = reason or "damaged"
                    continue
                try:
                    pixels = _pixels(frame)
                except ThermalFileError:
                    raise
                except Exception as error:  # as above
                    reason = reason or f"damaged ({error})"
                    continue
                start = frame.time if start is None else start
                seconds = None if frame.time is None else round(frame.time - start, 6)
                end = frame.time or end
                read += 1
                yield Frame(pixels, seconds)
        short = _missing_seconds(container, stream, end)
    if read == 0 or reason or (announced is not None and read < announced) or (announced is None and short):
        of = "" if announced is None else f" of {announced}"
        why = reason or (short if read and short and announced is None else "the film ends there")
        raise IncompleteError(f"read {read}{of} frames: {why}")


def _missing_seconds(container: Any, stream: Any, end: float) -> str:
    """What is missing of the length that a film announces, in words; empty where nothing is."""
    rate = float(stream.average_rate or 0)
    if not container.duration or not rate:
        return ""
    length = container.duration / 1e6 + (container.start_time or 0) / 1e6
    missing = length - (end + 1 / rate)
    return f"it ends at {end:.2f} s of {length:.2f} s" if missing * rate > _SLACK_FRAMES else ""


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
