"""The store against PNG files, WebDataset and MosaicML MDS on the same images, and codecs against one another.

``python tests/speed/stores.py CELSIUS.npy`` prints JSON. It runs in an environment with those libraries
(``tests/speed/formats.txt``), on one thread but for the libraries' own, passes in turn, medians.
"""

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import webdataset
import zarr
from numcodecs import LZ4, Blosc, Delta, Shuffle, Zstd
from streaming import LocalDataset, MDSWriter

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from tfake.core.radiometry import encode_celsius
from tfake.store.arrays import create_store
from tfake.store.layouts import thermal_layout
from tfake.store.shards import ShardReader
from tfake.store.stream import ShardStream

PASSES, REPEATED = 5, 4
BLOCK_BYTES = 1 << 18
SHUFFLED = np.random.default_rng(0)


def full_range(celsius: np.ndarray) -> np.ndarray:
    """What T-FAKE's files hold: 20 to 40 °C over all of 16 bits, 0.0003 K a step."""
    return np.rint(((celsius - 20) / 20).clip(0, 1) * 65535).astype(np.uint16)


class ZarrStore:
    """Ours: one shard, written as the jobs do and read as ``tfake.open_dataset`` does."""

    name, values = "this store (Zarr v3)", "counts"

    def write(self, folder: Path, images: np.ndarray) -> None:
        """Write all images."""
        create_store(folder / "t.zarr", thermal_layout(images.shape[1]), len(images), len(images), {})
        with ShardStream(folder / "t.zarr", "thermal", 0) as stream:
            for row in images:
                stream.append(stream.encode(row))
            stream.close()

    def open(self, folder: Path) -> None:
        """Open for reading."""
        self.array = zarr.open_group(folder / "t.zarr", mode="r")["thermal"]
        self.rows = ShardReader(folder / "t.zarr/thermal")

    def read_one(self, number: int) -> np.ndarray:
        """Random access."""
        return self.rows.row(int(number))

    def read_all(self) -> int:
        """Sequential reading."""
        return sum(len(self.array[start : start + 32]) for start in range(0, self.array.shape[0], 32))


class PngFiles:
    """One 16-bit PNG file an image."""

    def __init__(self, name: str, values: str) -> None:
        self.name, self.values = name, values

    def write(self, folder: Path, images: np.ndarray) -> None:
        for number, row in enumerate(images):
            cv2.imwrite(str(folder / f"{number:06d}.png"), row)

    def open(self, folder: Path) -> None:
        self.folder, self.count = folder, len(list(folder.glob("*.png")))

    def read_one(self, number: int) -> np.ndarray:
        return cv2.imread(str(self.folder / f"{number:06d}.png"), cv2.IMREAD_UNCHANGED)

    def read_all(self) -> int:
        return sum(self.read_one(number) is not None for number in range(self.count))


class WebDataset:
    """A tar of 16-bit PNGs of the counts; no random access."""

    name, values = "WebDataset tar of PNG, 0.01 K counts", "counts"
    read_one = None

    def write(self, folder: Path, images: np.ndarray) -> None:
        with webdataset.TarWriter(str(folder / "t.tar")) as writer:
            for number, row in enumerate(images):
                writer.write({"__key__": f"{number:06d}", "png": cv2.imencode(".png", row)[1].tobytes()})

    def open(self, folder: Path) -> None:
        self.path = str(folder / "t.tar")

    def read_all(self) -> int:
        count = 0
        for sample in webdataset.WebDataset(self.path, shardshuffle=False, empty_check=False):
            count += cv2.imdecode(np.frombuffer(sample["png"], np.uint8), cv2.IMREAD_UNCHANGED) is not None
        return count


class Mds:
    """MosaicML's shards, each compressed as a whole, opened for use as its LocalDataset wants: uncompressed once."""

    values = "counts"

    def __init__(self, name: str, columns: dict, compression: str | None) -> None:
        self.name, self.columns, self.compression = name, columns, compression

    def write(self, folder: Path, images: np.ndarray) -> None:
        with MDSWriter(out=str(folder / "mds"), columns=self.columns, compression=self.compression) as writer:
            for row in images:
                writer.write({"thermal": self._pack(row)})

    def _pack(self, row: np.ndarray):
        return cv2.imencode(".png", row)[1].tobytes() if self.columns["thermal"] == "bytes" else row

    def open(self, folder: Path) -> None:
        self.dataset = LocalDataset(local=str(folder / "mds"))

    def read_one(self, number: int) -> np.ndarray:
        value = self.dataset[int(number)]["thermal"]
        if isinstance(value, bytes):
            return cv2.imdecode(np.frombuffer(value, np.uint8), cv2.IMREAD_UNCHANGED)
        return value

    def read_all(self) -> int:
        return sum(self.read_one(number) is not None for number in range(len(self.dataset)))


FORMATS = (
    ZarrStore(),
    PngFiles("PNG files, 16 bit full range", "full range"),
    PngFiles("PNG files, 0.01 K counts", "counts"),
    WebDataset(),
    Mds("MDS of PNG, 0.01 K counts", {"thermal": "bytes"}, None),
    Mds("MDS of arrays, uncompressed", {"thermal": "ndarray:uint16"}, None),
)


def compare_formats(images: dict[str, np.ndarray], work: Path) -> list[dict]:
    """Images a second and KB an image of every format; ``images`` maps what a format may hold to the images as that."""
    count = len(images["counts"])
    rates = {each.name: {"write": [], "random read": [], "sequential read": []} for each in FORMATS}
    sizes = {}
    for _ in range(PASSES):
        for each in FORMATS:
            folder = Path(tempfile.mkdtemp(dir=work))
            found = rates[each.name]
            found["write"].append(
                clock(count, lambda each=each, folder=folder: each.write(folder, images[each.values]))
            )
            sizes[each.name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            each.open(folder)
            found["sequential read"].append(clock(count, each.read_all))
            if each.read_one:
                order = SHUFFLED.permutation(count)
                found["random read"].append(
                    clock(count, lambda each=each, order=order: [each.read_one(number) for number in order])
                )
            shutil.rmtree(folder)
    return [
        {
            "format": name,
            "kilobytes": round(sizes[name] / count / 1e3, 1),
            **{key: round(statistics.median(values)) if values else None for key, values in found.items()},
        }
        for name, found in rates.items()
    ]


def codecs() -> dict[str, Callable[[np.ndarray], tuple[bytes, Callable[[], object]]]]:
    """Name to a function that compresses an image and returns its bytes with a function that reads them back."""
    table = {}
    for cname, level in (("lz4", 5), ("zstd", 1), ("zstd", 2), ("zstd", 3), ("zstd", 5)):
        for shuffle, word in ((Blosc.SHUFFLE, "shuffle"), (Blosc.BITSHUFFLE, "bitshuffle")):
            codec = Blosc(cname, level, shuffle, typesize=2)
            table[f"blosc {cname} {level}, {word}"] = chain(codec)
    for level in (1, 2):
        codec = Blosc("zstd", level, Blosc.SHUFFLE, BLOCK_BYTES, typesize=2)
        table[f"blosc zstd {level}, shuffle, blocks of 256 KiB"] = chain(codec)
    table["zstd 3"] = chain(Zstd(3))
    table["delta, shuffle, zstd 3"] = chain(Delta("<u2"), Shuffle(2), Zstd(3))
    table["delta, shuffle, lz4"] = chain(Delta("<u2"), Shuffle(2), LZ4())
    table["delta, blosc zstd 1, bitshuffle"] = chain(Delta("<u2"), Blosc("zstd", 1, Blosc.BITSHUFFLE, typesize=2))
    return table


def chain(*stages):
    """Several codecs behind one another, as one."""

    def encode(image: np.ndarray):
        data = image.ravel()
        for stage in stages:
            data = stage.encode(data)
        packed = bytes(data)

        def decode():
            back = packed
            for stage in reversed(stages):
                back = stage.decode(back)
            return back

        return packed, decode

    return encode


def compare_codecs(counts: np.ndarray, wide: np.ndarray) -> list[dict]:
    """KB an image, and images a second written and read, of each codec; counts against 16 bits of full range."""
    table = codecs()
    rates = {name: {"write": [], "read": []} for name in table}
    sizes, wide_sizes = {}, {}
    for number in range(PASSES):
        for name, encode in table.items():
            packed = []
            rates[name]["write"].append(
                clock(len(counts), lambda e=encode, p=packed: p.extend(e(row) for row in counts))
            )
            if not number:
                for row, (_, decode) in zip(counts, packed, strict=True):
                    if np.frombuffer(memoryview(decode()).cast("B"), np.uint16).tobytes() != row.tobytes():
                        raise SystemExit(f"{name} is not lossless")
                sizes[name] = sum(len(data) for data, _ in packed)
                wide_sizes[name] = sum(len(encode(row)[0]) for row in wide)
            rates[name]["read"].append(clock(len(counts), lambda p=packed: [decode() for _, decode in p]))
    return [
        {
            "codec": name,
            "kilobytes": round(sizes[name] / len(counts) / 1e3, 1),
            "kilobytes_full_range": round(wide_sizes[name] / len(counts) / 1e3, 1),
            **{key: round(statistics.median(values)) for key, values in rates[name].items()},
        }
        for name in table
    ]


def clock(images: int, work: Callable[[], object]) -> float:
    """Images a second."""
    began = time.perf_counter()
    work()
    return images / (time.perf_counter() - began)


def measure(path: Path) -> dict:
    """Both tables, for the images as they are and with a camera's noise of 50 mK on them."""
    celsius = np.load(path)
    noisy = celsius + np.random.default_rng(0).normal(0, 0.05, celsius.shape).astype(np.float32)
    cv2.setNumThreads(1)
    figures = {}
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        for name, found in (("as thermalized", celsius), ("with 50 mK of noise", noisy)):
            images = {"counts": encode_celsius(found), "full range": full_range(found)}
            few = slice(None, None, max(1, len(found) // 24))
            # Nearer to a real shard's length, beside which opening and closing it is little.
            many = {values: np.concatenate([held] * REPEATED) for values, held in images.items()}
            figures[name] = {
                "formats": compare_formats(many, Path(work)),
                "codecs": compare_codecs(images["counts"][few], images["full range"][few]),
            }
    return {"images": len(celsius), **figures}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]).resolve())))
