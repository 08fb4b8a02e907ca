"""The source's archive: files that are there, files to download, or faces that this project renders itself."""

import csv
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tfake.config.faults import ConfigError
from tfake.config.plan_rules import Wildcards

#: The published releases: name, terms and URL of each of their files.
RELEASES = Path(__file__).parents[1] / "acquisition/releases.csv"


class SourcePlan:
    """Where the archive lies, and what is downloaded for it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config.

        Raises:
            ConfigError: ``source.archive`` is a name, and of no published release.
        """
        self._settings = config["source"]
        wanted = self._settings["archive"]
        #: Whether this project renders the faces.
        self.is_procedural = wanted is None
        self._release = [row for row in _read_releases() if row["release"] == wanted]
        if isinstance(wanted, str) and not self._release:
            known = ", ".join(dict.fromkeys(row["release"] for row in _read_releases()))
            raise ConfigError(
                f"config: source.archive is {wanted!r}; the published releases are {known}; a file of your own goes "
                f"into a list: [{wanted}]"
            )
        places = [row["url"] for row in self._release] or wanted or []
        self._local = [place for place in places if "://" not in place]
        names = name_downloads([place for place in places if "://" in place])
        #: URL of each file that is downloaded, by the name that it gets.
        self.urls = {name: url for url, name in names.items()}
        self._only_first = bool(self.urls) and self._settings["download"] == "first_samples"
        #: The archive: one zip, or its raw split parts in order.
        self.archive = [f"resources/archives/{names[place]}" if place in names else place for place in places]
        if self.is_procedural:
            self.archive = ["results/source/faces.zip"]
        elif self._only_first:
            self.archive = ["results/source/first_samples.zip"]
        #: The archive for those who read images alone: nothing, where they are kept decoded.
        self.undecoded = [] if config["store"]["rgb"] == "kept" else self.archive

    def url(self, wildcards: Wildcards) -> str:
        """Where the file ``{file}`` is downloaded from."""
        return self.urls[wildcards.file]

    def find_absent(self) -> list[str]:
        """Local files of the archive that are not there, unless it is indexed: then nobody may need them any more."""
        indexed = os.path.exists("results/source/index.parquet")
        return [] if indexed else [place for place in self._local if not os.path.exists(place)]

    def check_files(self, dry_run: bool) -> Iterator[str]:
        """Look for the archive's files, and for the user's consent to what would be downloaded.

        Args:
            dry_run: nothing will be made, so the archive need not be there.

        Yields:
            A warning of files that a dry run does without.

        Raises:
            ConfigError: local files are not there, or terms are not accepted.
        """
        if self.urls:
            self._check_terms()
        if self._only_first and self._local:
            raise ConfigError(
                "config: source.download: first_samples reads a remote archive; source.archive has local files, too"
            )
        if absent := self.find_absent():
            found = f"config: source.archive: there is no {', '.join(absent)} (seen from {os.getcwd()})"
            if not dry_run:
                raise ConfigError(
                    f"{found}. Put it there, or name a published release, which is downloaded; --dry-run plans "
                    "without it."
                )
            yield f"{found}; planned as if it were."

    def _check_terms(self) -> None:
        terms, wanted = self._settings["license"], self._settings["archive"]
        if self._release and terms != self._release[0]["license"]:
            raise ConfigError(
                f"config: {wanted} is published under {self._release[0]['license']}; set source.license to that, found "
                f"{terms}"
            )
        if not self._settings["accept_license"]:
            raise ConfigError(
                f"config: {', '.join(self.urls)} would be downloaded under the terms {terms}. If you have read them "
                "and agree, set source.accept_license: true. FaceSynthetics' terms, R-UDA-1.0, are in "
                "workflow_scripts/tfake/acquisition/licenses: non-commercial research only, for what is made from it, "
                "too."
            )


def _read_releases() -> list[dict[str, str]]:
    with open(RELEASES, newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def name_downloads(urls: Sequence[str]) -> dict[str, str]:
    """The names that downloads get here: the last of their addresses' paths, where that tells files apart.

    Args:
        urls: the addresses of one archive; several are its parts, in order.

    Returns:
        Address to name. Where addresses end alike, or in what is no file's name, a name is made from all of them.
    """
    names = {url: re.sub(r"[^A-Za-z0-9._+-]", "_", unquote(os.path.basename(urlsplit(url).path))) for url in urls}
    if len(set(names.values())) == len(urls) and all("." in name for name in names.values()):
        return names
    own = f"archive-{hashlib.sha256(' '.join(urls).encode()).hexdigest()[:8]}.zip"
    return {url: own if len(urls) == 1 else f"{own}.{part:03d}" for part, url in enumerate(urls, start=1)}
