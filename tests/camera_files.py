"""Files as cameras and their programs write them, made here: one writer a format that no library writes for us."""

import gzip
import io
import struct
from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH = 24, 32
_ROWS, _COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
#: A room of 22 °C and somebody of 34 °C in it, not the same in any two directions.
CELSIUS = np.where((_COLUMNS - 12) ** 2 + (_ROWS - 9) ** 2 < 60, 34.0, 22.0) + _COLUMNS * 0.01 + _ROWS * 0.02
COUNTS = np.rint((CELSIUS + 273.15) * 100).astype(np.uint16)
GRAY = np.rint((CELSIUS - 20) * 14).astype(np.uint8)

#: Planck constants of a real camera, and air that takes nothing away.
_PLANCK = {"r1": 14364.633, "b": 1385.4, "f": 1.0, "o": -5753, "r2": 0.010603162}


def raw_of(celsius: np.ndarray) -> np.ndarray:
    """The raw values of that camera for black bodies of a temperature, uint16."""
    p = _PLANCK
    raw = p["r1"] / (p["r2"] * (np.exp(p["b"] / (celsius + 273.15)) - p["f"])) - p["o"]
    return np.rint(raw).astype(np.uint16)


def radiometric_jpeg(celsius: np.ndarray, picture: np.ndarray) -> bytes:
    """FLIR's JPEG: a picture, and raw values with their calibration in an application segment."""
    raw = raw_of(celsius)
    data = bytearray(32) + raw.astype("<u2").tobytes()
    struct.pack_into("<HH", data, 2, raw.shape[1], raw.shape[0])
    info = bytearray(900)
    # Emissivity 1, half a metre, and every temperature around 20 °C.
    struct.pack_into("<6f", info, 32, 1.0, 0.0, 293.15, 293.15, 293.15, 1.0)
    struct.pack_into("<f", info, 60, 0.5)
    struct.pack_into("<3f", info, 88, _PLANCK["r1"], _PLANCK["b"], _PLANCK["f"])
    struct.pack_into("<5f", info, 112, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
    struct.pack_into("<if", info, 776, _PLANCK["o"], _PLANCK["r2"])
    directory = 64
    first = directory + 2 * 32
    entries = ((1, 2, first, len(data)), (32, 1, first + len(data), len(info)))
    records = bytearray(first)
    records[:4] = b"FFF\x00"
    # flyr counts the header as the directory's first two entries.
    struct.pack_into(">3I", records, 0x14, 100, directory, 2 + len(entries))
    for place, (kind, subkind, offset, length) in enumerate(entries):
        struct.pack_into(">2H4I", records, directory + 32 * place, kind, subkind, 100, place, offset, length)
    payload = bytes(records) + bytes(data) + bytes(info)
    segment = b"FLIR\x00\x01\x00\x00" + payload
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def cptv(frames: list[np.ndarray], background: np.ndarray | None = None, step_ms: int = 111) -> bytes:
    """A CPTV recording, with differences of 16 bits."""
    height, width = frames[0].shape

    def fields(*entries: tuple[bytes, bytes]) -> bytes:
        return bytes([len(entries)]) + b"".join(bytes([len(data)]) + kind + data for kind, data in entries)

    parts = [
        b"CPTV\x02H",
        fields(
            (b"T", struct.pack("<Q", 1_600_000_000_000_000)),
            (b"X", struct.pack("<I", width)),
            (b"Y", struct.pack("<I", height)),
            (b"C", b"\x01"),
            (b"J", struct.pack("<H", len(frames))),
        ),
    ]
    last = np.zeros(height * width, np.int64)
    all_frames = [*([] if background is None else [(background, 1)]), *((frame, 0) for frame in frames)]
    for number, (frame, is_background) in enumerate(all_frames):
        snake = frame.astype(np.int64).copy()
        snake[1::2] = snake[1::2, ::-1]
        delta = snake.ravel() - last
        last = snake.ravel()
        packed = struct.pack("<i", delta[0]) + np.diff(delta).astype(">i2").tobytes()
        parts.append(
            b"F"
            + fields(
                (b"t", struct.pack("<I", 1000 + step_ms * number)),
                (b"c", struct.pack("<I", 0)),
                (b"w", b"\x10"),
                (b"f", struct.pack("<I", len(packed))),
                (b"g", bytes([is_background])),
            )
            + packed
        )
    return gzip.compress(b"".join(parts))


def film(path: Path, frames: list[np.ndarray], codec: str, pix_fmt: str, rate: int = 10) -> Path:
    """A film by PyAV: gray frames of 8 or 16 bits, or BGR."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pix_fmt
        for pixels in frames:
            if pixels.ndim == 3:
                frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            else:
                frame = av.VideoFrame(pixels.shape[1], pixels.shape[0], pix_fmt)
                plane = frame.planes[0]
                rows = np.zeros((pixels.shape[0], plane.line_size // pixels.itemsize), pixels.dtype)
                rows[:, : pixels.shape[1]] = pixels
                plane.update(rows.tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    if codec == "rawvideo":  # as cameras' programs mark 16-bit counts; PyAV leaves the place empty
        data = path.read_bytes()
        place = data.index(b"strf") + 24
        path.write_bytes(data[:place] + b"Y16 " + data[place + 4 :])
    return path


#: The display matrix (a, b, c, d) of each orientation: x' = a x + c y and y' = b x + d y, but for where they begin.
_MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


def turned_film(path: Path, pixels: np.ndarray, tag: int) -> Path:
    """A QuickTime film of one gray frame of 8 bits that says how to turn it, as phones do."""
    film(path, [pixels], "png", "gray")
    data = bytearray(path.read_bytes())
    a, b, c, d = (part << 16 for part in _MATRICES[tag])
    # In the track's header, behind times, layer and volume.
    place = data.index(b"tkhd") + 44
    data[place : place + 20] = struct.pack(">5i", a, b, 0, c, d)
    path.write_bytes(data)
    return path


def npy(array: np.ndarray) -> bytes:
    """The bytes of an ``.npy``."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def tiff(*pages: np.ndarray, orientation: int = 1, **options) -> bytes:
    """A TIFF by tifffile, a page an array."""
    import tifffile

    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in pages:
            kind = "rgb" if page.ndim == 3 else "minisblack"
            tags = [(274, "H", 1, orientation, True)] if orientation != 1 else []
            writer.write(page, photometric=kind, metadata=None, extratags=tags, contiguous=False, **options)
    return buffer.getvalue()


def table(celsius: np.ndarray, delimiter: str = ";", decimal: str = ",", header: str = "", end: str = "\r\n") -> str:
    """A table of temperatures."""
    rows = [delimiter.join(f"{value:.2f}".replace(".", decimal) for value in row) for row in celsius]
    return header + end.join(rows) + end
