"""Download one file of a published archive, whole and checked."""

import logging
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from tfake.acquisition.http import ContentError, describe, open_session
from tfake.acquisition.registry import Record, how_to_forget, read_registry, record_file, show_terms
from tfake.acquisition.transfer import check_disk, check_zip, download


def download_archive(path: str, url: str, all_urls: list[str], source_license: str, registry: str) -> None:
    """Download a file and record it, or hold it to its record.

    Args:
        path: where the file shall be.
        url: where it is.
        all_urls: every file of the same archive, in order: together they must fit the disk.
        source_license: the terms' name; they are shown when the first file comes.
        registry: the table of lengths and SHA-256s to enforce and to add to.

    Raises:
        TransferError: the file cannot be had, is no part of a zip or not what was recorded, or does not fit the disk.
        ValueError: the registry cannot be read.
    """
    name, folder = Path(path).name, Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    show_terms(source_license, folder)
    session = open_session()
    names = {each: name if each == url else PurePosixPath(urlsplit(each).path).name for each in all_urls}
    check_disk({names[each]: describe(session, each) for each in all_urls}, folder)
    known = read_registry(registry).get(name)
    check = partial(check_zip, url=url, is_first=url == all_urls[0], is_last=url == all_urls[-1])
    try:
        length, sha256 = download(session, url, path, known and known.sha256, known and known.bytes, check=check)
    except ContentError as error:
        if known is None:
            raise
        raise ContentError(f"{error}. {how_to_forget(registry, known)}") from error
    record_file(registry, Record(name, length, sha256, url))
    logging.info("%s: %d bytes, SHA-256 %s (%s)", name, length, sha256, "as recorded" if known else "now recorded")


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    download_archive(
        path=snakemake.output.file,
        url=snakemake.params.url,
        all_urls=snakemake.params.all_urls,
        source_license=snakemake.params.source_license,
        registry=snakemake.params.registry,
    )
