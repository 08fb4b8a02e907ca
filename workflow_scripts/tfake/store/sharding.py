"""What both sides of a shard's file agree on: how a chunk is compressed, and how the index behind the chunks lies.

The file is a Zarr v3 shard (sharding codec 1.0, https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/):
the chunks, one a row, behind one another; then their offsets and lengths as little-endian uint64; then the CRC-32C of
that index.
"""

import google_crc32c
import numpy as np
import zarr
from numcodecs import Blosc
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ShardingCodec

from tfake.store.arrays import StoreError

#: Offset and length of a chunk that is not there: a row behind the array's end, or one never written.
NO_CHUNK = 2**64 - 1
_SHUFFLES = {"noshuffle": Blosc.NOSHUFFLE, "shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}
_ENTRY_BYTES, _CRC_BYTES = 16, 4


def chunk_codec(array: zarr.Array, where: str) -> Blosc:
    """The codec of a chunk, taken from the array's metadata: what is written and read is what they say.

    Args:
        array: one chunk a row, in shards.
        where: names the array in an error's message.

    Returns:
        The codec, which works in the caller's thread alone.

    Raises:
        StoreError: the array is laid out in another way than :func:`tfake.store.arrays.create_store` does it.
    """
    # Zarr v2 has none.
    codecs = getattr(array.metadata, "codecs", ())
    sharding = codecs[0] if len(codecs) == 1 and isinstance(codecs[0], ShardingCodec) else None
    if (
        sharding is None
        or array.chunks[0] != 1
        or array.chunks[1:] != array.shape[1:]
        or sharding.index_location.value != "end"
        or [type(codec) for codec in sharding.index_codecs] != [BytesCodec, Crc32cCodec]
        or [type(codec) for codec in sharding.codecs] != [BytesCodec, BloscCodec]
        or sharding.codecs[0].to_dict().get("configuration", {}).get("endian", "little") != "little"
    ):
        raise StoreError(f"{where}: expected one chunk a row in shards with an index at their end, found {codecs}")
    settings = sharding.codecs[1].to_dict()["configuration"]
    # Importing zarr's codec has set numcodecs to one thread a chunk: several lay a chunk's blocks down in the order in
    # which they happen to finish, and equal rows would not be equal bytes.
    return Blosc(**{**settings, "shuffle": _SHUFFLES[settings["shuffle"]]})


def empty_index(rows: int) -> np.ndarray:
    """(rows, 2) uint64 offsets and lengths of a shard without a chunk."""
    return np.full((rows, 2), NO_CHUNK, dtype="<u8")


def index_bytes(rows: int) -> int:
    """How many bytes at a shard's end are its index."""
    return rows * _ENTRY_BYTES + _CRC_BYTES


def pack_index(index: np.ndarray) -> bytes:
    """An index as it lies at a shard's end."""
    packed = index.tobytes()
    return packed + google_crc32c.value(packed).to_bytes(_CRC_BYTES, "little")


def unpack_index(data: bytes, where: str) -> np.ndarray:
    """An index from a shard's end.

    Args:
        data: the last :func:`index_bytes` of the shard.
        where: names the shard in an error's message.

    Returns:
        (rows, 2) uint64 offsets and lengths.

    Raises:
        StoreError: its checksum is another.
    """
    packed, checksum = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    if google_crc32c.value(packed).to_bytes(_CRC_BYTES, "little") != checksum:
        raise StoreError(f"{where}: the index at its end does not have the checksum behind it")
    return np.frombuffer(packed, dtype="<u8").reshape(-1, 2)
