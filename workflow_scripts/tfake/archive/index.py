"""The table of a source archive: one row a sample, where its members lie, and whether it can be used.

Row ``i`` of this table is row ``i`` of every store made from it, good or bad.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from tfake.archive.file_trees import inner_path
from tfake.archive.samples import SampleError, read_sample
from tfake.archive.zip_archive import ArchiveError, Member, list_members, open_archive
from tfake.core.codes import IMAGE_ID_BYTES, MEMBER_SUFFIXES, SampleStatus

_NAME = re.compile(r"(?P<image_id>[^/]+?)(?P<suffix>_seg\.png|_ldmks\.txt|\.png)", re.IGNORECASE)
_ROLES = {suffix: role for role, suffix in MEMBER_SUFFIXES.items()}
_ABSENT = {"offset": -1, "compressed_bytes": 0, "bytes": 0, "method": 0, "crc": 0}
_CHUNK = 16


def build_index(paths: Sequence[str | Path], images: int, pixels: int, threads: int = 1) -> pd.DataFrame:
    """List the first ``images`` samples of an archive and check every byte of them.

    A sample that cannot be used keeps its row and gets a ``status`` and a ``detail``.

    Args:
        paths: one zip, or all its raw split parts in order.
        images: how many samples to take, in order of their ids.
        pixels: the height and width every image must have.
        threads: decoding threads.

    Returns:
        A table with the columns ``image_id``, ``status`` (:class:`~tfake.archive.samples.SampleStatus`), ``detail``
        and, for each of ``rgb``, ``classes`` and ``landmarks``: ``_offset`` (bytes, -1 when the member is missing),
        ``_compressed_bytes``, ``_bytes``, ``_method`` (zip compression method), ``_crc``. Its ``attrs`` hold
        ``source_sha256``, the identity of the selected samples (names, lengths, CRCs).

    Raises:
        ArchiveError: the archive cannot be read, holds fewer samples than asked for, or not one usable sample.
    """
    where = ", ".join(map(str, paths))
    table = select_samples(list_members(open_archive(paths)), images, where)
    starts = range(0, len(table), _CHUNK)
    chunks = [table.iloc[start : start + _CHUNK] for start in starts]
    # Threads suffice: reading, inflating, checking CRCs and decoding PNGs all release the interpreter's lock.
    with ThreadPoolExecutor(threads) as pool:
        checked = pool.map(lambda chunk: _check_chunk(paths, chunk, pixels), chunks)
        outcomes = [outcome for chunk in tqdm(checked, "check archive", len(chunks)) for outcome in chunk]
    table["status"] = pd.array([status for status, _ in outcomes], dtype="uint8")
    table["detail"] = [detail for _, detail in outcomes]
    if (table["status"] != SampleStatus.OK).all():
        first = table.iloc[0]
        raise ArchiveError(f"not one of the {len(table)} samples of {where} can be used; the first: {first.detail}")
    table.attrs["source_sha256"] = source_identity(table)
    return table


def write_index(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table from :func:`build_index` as Parquet."""
    table.to_parquet(path, index=False)


def read_index(path: str | Path) -> pd.DataFrame:
    """Read a table written by :func:`write_index`, ``attrs`` included."""
    return pd.read_parquet(path)


def select_samples(members: Iterable[Member], images: int, where: str) -> pd.DataFrame:
    """Pick an archive's first samples, unread.

    Args:
        members: from :func:`tfake.archive.zip_archive.list_members`.
        images: how many samples to take, in order of their ids.
        where: the archive, for messages.

    Returns:
        The columns of :func:`build_index` that tell where members lie.

    Raises:
        ArchiveError: fewer samples than asked for, an id that is too long or not ASCII, two members with the same
            path, or samples in several folders.
    """
    samples = _find_samples(members, where)
    if len(samples) < images:
        raise ArchiveError(
            f"the archive {where} holds {len(samples)} samples ({{id}}.png, {{id}}_seg.png, {{id}}_ldmks.txt at its "
            f"top level, or all in one folder); source.images asks for {images}"
        )
    selected = sorted(samples)[:images]
    too_long = [image_id for image_id in selected if len(image_id.encode()) > IMAGE_ID_BYTES or not image_id.isascii()]
    if too_long:
        raise ArchiveError(f"{where}: ids are ASCII of at most {IMAGE_ID_BYTES} bytes; found {too_long[0]!r}")
    rows = []
    for image_id in selected:
        row = {"image_id": image_id}
        for role in MEMBER_SUFFIXES:
            member = samples[image_id].get(role)
            place = asdict(member) if member else _ABSENT
            row |= {f"{role}_{key}": place[key] for key in _ABSENT}
        rows.append(row)
    return pd.DataFrame(rows)


def _find_samples(members: Iterable[Member], where: str) -> dict[str, dict[str, Member]]:
    """Members by role, by id: those at the top level, or of the one folder that holds all."""
    folders: dict[str, dict[str, dict[str, Member]]] = {}
    for member in members:
        inner = inner_path(member.name)
        folder, _, name = (inner or "").rpartition("/")
        if match := _NAME.fullmatch(name):
            sample = folders.setdefault(folder, {}).setdefault(match["image_id"], {})
            known = sample.setdefault(_ROLES[match["suffix"].lower()], member)
            if (known.bytes, known.crc) != (member.bytes, member.crc):
                both = (
                    f"{known.name!r} and {member.name!r}" if known.name != member.name else f"{member.name!r}, twice,"
                )
                raise ArchiveError(f"{where}: {both} have the same path and different contents")
    for samples in folders.values():
        # A picture alone, such as an overview beside the samples, is none.
        lone = [image_id for image_id, sample in samples.items() if len(sample) == 1]
        if lone:
            logging.warning("%s: %d files without a partner are no samples; the first: %s", where, len(lone), lone[0])
        for image_id in lone:
            del samples[image_id]
    folders = {folder: samples for folder, samples in folders.items() if samples}
    if "" not in folders and len(folders) > 1:
        raise ArchiveError(
            f"{where}: samples are in {len(folders)} folders, {', '.join(sorted(folders)[:2])}, …; pack one"
        )
    return folders.get("") or next(iter(folders.values()), {})


def _check_chunk(paths: Sequence[str | Path], chunk: pd.DataFrame, pixels: int) -> list[tuple[int, str]]:
    archive = open_archive(paths)  # one file position a chunk: chunks are read side by side
    outcomes = []
    for record in chunk.itertuples():
        try:
            read_sample(archive, record, pixels)
        except SampleError as error:
            outcomes.append((int(error.status), str(error)))
        else:
            outcomes.append((int(SampleStatus.OK), ""))
    return outcomes


def source_identity(table: pd.DataFrame) -> str:
    """What tells one source from another: a SHA-256 over the names, lengths and CRCs of :func:`select_samples`."""
    digest = hashlib.sha256()
    for record in table.itertuples():
        for role in MEMBER_SUFFIXES:
            length, crc = getattr(record, f"{role}_bytes"), getattr(record, f"{role}_crc")
            digest.update(f"{record.image_id} {role} {length} {crc:08x}\n".encode())
    return digest.hexdigest()
