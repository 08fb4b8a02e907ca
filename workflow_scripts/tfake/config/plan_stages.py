"""Plans of single stages: the source's archive, the thermalizers' trainings, and what is made of finished stores."""

import csv
import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tfake.config.faults import ConfigError
from tfake.config.plan_retargeting import RETARGETING_STORE
from tfake.config.plan_rules import FINISHED_LABELS, Wildcards, in_key_order, without_neutral
from tfake.config.plan_sequences import FOLDER, PAGE
from tfake.config.preflight import check_compared

if TYPE_CHECKING:
    from tfake.config.plan import Plan


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


#: Keys of the training settings that a bank of real patches depends on.
_BANK_KEYS = (
    "image_pixels",
    "largest_zoom",
    "rotation_degrees",
    "shear_degrees",
    "patch_pixels",
    "patch_scales",
    "bank_patches",
    "seed",
)


class ThermalizerPlan:
    """Settings and files of each condition's thermalizer."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._conditions = plan.config["conditions"]
        block = plan.config["thermalizer"]
        #: The training settings that a regression network's weights depend on.
        self.settings = in_key_order(without_neutral(block))
        #: Those that a bank of real patches depends on.
        self.bank_settings = {key: block[key] for key in _BANK_KEYS}
        #: Pretrained weights that a regression network starts from; none where it starts from random ones.
        self.encoder = ["resources/encoders/thermalizer.pt"] if block["encoder_weights"] else []
        #: What the pretrained weights depend on, by the network that starts from them.
        self.encoder_settings = {
            "thermalizer": {key: block[key] for key in ("decoder_channels", "encoder", "encoder_weights")},
            "landmarks": {key: plan.config["landmarks"][key] for key in ("backbone", "head", "pretrained")},
        }

    def condition(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of a condition, without its kind: stating it makes nothing anew."""
        settings = self._conditions[wildcards.condition]
        return in_key_order({key: own for key, own in settings.items() if key != "kind"})

    def section_of(self, condition: str) -> str:
        """The config's block of a condition's training settings."""
        return {"unet": "thermalizer", "diffusion": "diffusion_thermalizer"}[self._conditions[condition]["kind"]]

    def is_diffusion(self, wildcards: Wildcards) -> bool:
        """Whether a job is of a diffusion thermalizer, which has packages of its own.

        It may train or import one of a condition, make a variant, or train an arm of the ablation, which never is one.
        """
        variant = getattr(wildcards, "variant", None)
        condition = getattr(wildcards, "condition", None) if variant is None else self._plan.condition(variant)
        return condition is not None and self.section_of(condition) == "diffusion_thermalizer"

    def training_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings that a condition's weights depend on; other kinds than the regression state theirs."""
        if not self.is_diffusion(wildcards):
            return self.settings
        return in_key_order({"kind": "diffusion", **without_neutral(self._plan.config["diffusion_thermalizer"])})

    def faces(self, wildcards: Wildcards) -> list[str]:
        """The finished labels, whose points heat fields need, the store's root first; none for a network without."""
        takes_field = self._plan.config[self.section_of(wildcards.condition)]["heat_field"]
        return FINISHED_LABELS if takes_field else []

    def pretrained(self, wildcards: Wildcards) -> list[str]:
        """The pretrained encoder that a condition's training starts from; none where it has none."""
        return [] if self.is_diffusion(wildcards) else self.encoder

    def patches(self, wildcards: Wildcards) -> list[str]:
        """The bank of real patches that a condition's training is compared with; a diffusion is with none."""
        return [] if self.is_diffusion(wildcards) else [f"results/thermalizers/{wildcards.condition}/patches.npz"]

    def ambient_range(self, wildcards: Wildcards) -> list[float]:
        """Lowest and highest ambient temperature in °C that a condition is trained for."""
        return list(self._plan.ambient_range(wildcards.condition))

    def lab_ambient_range(self, wildcards: Wildcards) -> list[float]:
        """Those of a condition's lab pairs: where they were recorded, or its own."""
        recorded_at = self._conditions[wildcards.condition]["pairs"]["ambient_celsius"]
        return self.ambient_range(wildcards) if recorded_at is None else [recorded_at, recorded_at]

    def released_weights(self, wildcards: Wildcards) -> str:
        """Weights that were trained elsewhere: the file as named, or where its download goes."""
        place = self._plan.config["thermalizers"][wildcards.condition]["weights"]
        return f"resources/weights/{wildcards.condition}.pt" if "://" in place else place

    def check_files(self) -> None:
        """Look for the pairs.

        Raises:
            ConfigError: there are none where the config says.
        """
        for name, settings in self._conditions.items():
            path = settings["pairs"]["path"]
            if path is not None and not os.path.exists(path):
                raise ConfigError(
                    f"config: conditions.{name}.pairs.path: there is no {path} (seen from {os.getcwd()}). Paired data "
                    "with terms to be signed is never downloaded: docs/data.md says where to ask and where to put it."
                )


class ProductPlan:
    """Variants that are published and exported, and files that products read."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        publication = plan.config["publication"]
        self.version: str = publication["version"]
        #: Variants that are made here, and those of them that are published and exported.
        self.own = plan.generated + plan.recorded
        self.published = publication["variants"] or self.own
        #: Whether exports hold the source's images.
        self.exports_rgb: bool = publication["rgb"]
        #: Folders of all stores.
        self.stores = ["results/faces", "results/images", *(f"results/variants/{name}" for name in plan.variants)]
        #: Those of the sequences, where they were asked for.
        self.stores += [folder for folder in (FOLDER, RETARGETING_STORE) if Path(folder).is_dir()]
        #: The page of the sequences, to which the report leads where it has been made: the report makes none.
        self.sequence_page = PAGE if Path(PAGE).is_file() else None

    def rgb(self, wildcards: Wildcards) -> bool:
        """Whether a variant's export holds the source's images: a camera's geometry is its own."""
        return self.exports_rgb and wildcards.variant not in self._plan.recorded

    def compared(self, wildcards: Wildcards) -> list[str]:
        """The folders that are compared.

        Raises:
            ConfigError: they are not there.
        """
        return check_compared(self._plan.config["compare"])

    def compared_seals(self, wildcards: Wildcards) -> dict[str, str]:
        """SHA-256 of their stores' checksum lists: other stores in the same folders are compared anew."""
        lists = sorted(path for folder in self.compared(wildcards) for path in Path(folder).glob("**/SHA256SUMS"))
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in lists}

    def moment(self, wildcards: Wildcards) -> float:
        """When a command was given: a rule that looks at what is there looks anew at each."""
        return time.time()

    def find_verdicts(self) -> list[str]:
        """The verdicts on the stores that are there."""
        return [f"{folder}/verified.json" for folder in self.stores if Path(folder).is_dir()]

    def first_shards(self, wildcards: Wildcards) -> list[str]:
        """Manifests of the first shard of each store; none where runs are named that have been measured."""
        if self._plan.config["forecast"]["runs"]:
            return []
        first = {variant: min(self._plan.shards(variant)) for variant in self._plan.variants}
        made = [f"results/variants/{variant}/manifests/{shard}.json" for variant, shard in first.items()]
        return [f"results/faces/manifests/{self._plan.source_shards[0]}.json", *made]
