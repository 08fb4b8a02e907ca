"""Write one shard of the images store: the source's images and class maps, decoded once for all who read them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from tfake.archive.image_reader import ArchiveImages
from tfake.archive.index import read_index
from tfake.core.classes import FaceClass
from tfake.core.codes import SampleStatus
from tfake.core.processes import map_ahead
from tfake.store.layouts import images_layout
from tfake.store.manifest import count_codes, finish_shard
from tfake.store.stream import ShardStream


def decode_images(
    manifest: str,
    store: str,
    archive: list[str],
    index: str,
    shard: int,
    rows: tuple[int, int],
    image_pixels: int,
    threads: int,
) -> None:
    """Decode the shard's PNGs into ``images.zarr``, in memory that does not grow with the shard.

    Rows whose sample cannot be used are black, and IGNORE throughout.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        image_pixels: height and width of the images.
        threads: images that are decoded side by side.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        OSError: the disk is full, or the store cannot be written; the error names the file.
    """
    table = read_index(index)
    records = table.iloc[slice(*rows)]
    source = ArchiveImages(archive, image_pixels)
    black = np.zeros((image_pixels, image_pixels, 3), np.uint8)
    ignored = np.full((image_pixels, image_pixels), FaceClass.IGNORE, np.uint8)
    with (
        ShardStream(store, "rgb", shard) as images,
        ShardStream(store, "segmentation", shard) as maps,
        ThreadPoolExecutor(threads) as pool,
    ):
        nothing = images.encode(black), maps.encode(ignored)

        def decode(record) -> tuple[bytes, bytes]:
            if record.status != SampleStatus.OK:
                return nothing
            return images.encode(source.read_rgb(record)), maps.encode(source.read_classes(record))

        decoded = map_ahead(pool, decode, records.itertuples(), 2 * threads)
        for image, class_map in tqdm(decoded, f"decode shard {shard}", len(records)):
            images.append(image)
            maps.append(class_map)
        streamed = {"rgb": images.close(), "segmentation": maps.close()}
    made_from = {"source_sha256": table.attrs["source_sha256"]}
    counts = count_codes("source", SampleStatus, records["status"])
    finish_shard(manifest, store, images_layout(image_pixels), shard, rows, made_from, counts, streamed=streamed)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    decode_images(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        image_pixels=snakemake.params.image_pixels,
        threads=snakemake.threads,
    )
