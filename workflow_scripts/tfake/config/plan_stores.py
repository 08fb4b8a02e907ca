"""The stores' files, by shard: what jobs write, what seals and verifications read, and which job writes what."""

import itertools
import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from tfake.config.plan_rules import FINISHED_LABELS, Wildcards, in_key_order

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: Images that a thermalizing job on a GPU has at least: loading the network takes a GPU as long as some thousand
#: images, less than a twentieth of a job of so many.
IMAGES_A_GPU_JOB = 60_000


class StoreFiles(Protocol):
    """Which files a kind of store has (:class:`tfake.variants.kinds.StoreKind`)."""

    def metadata_files(self, folder: str) -> list[str]:
        """Each array's metadata file; ``folder`` is the one that holds the store."""

    def shard_files(self, folder: str) -> dict[str, str]:
        """Array name to its file of the shard ``{shard}``."""


class StorePlan:
    """Files of the stores and of what they are made from."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._variants = plan.config["variants"]
        #: Whether the source's images are kept decoded.
        self.keeps_images = plan.config["store"]["rgb"] == "kept"
        #: Whether the labels come from MediaPipe's face landmarker.
        self.uses_landmarker = plan.config["labels"]["backend"] == "face_landmarker"
        #: The settings of the labels, without the model's place: the model itself is an input.
        self.labels = in_key_order({key: own for key, own in plan.config["labels"].items() if key != "face_landmarker"})

    def decoded(self, shards: Sequence[int | str]) -> list[str]:
        """What readers of some shards need of the decoded images, the store's root first; nothing where none are kept.

        Args:
            shards: their numbers, or a wildcard for one.
        """
        if not self.keeps_images:
            return []
        kind, folder = self._plan.store_kinds["images"], "results/images"
        files = [*kind.shard_files(folder).values(), f"{folder}/manifests/{{shard}}.json"]
        of_shards = [path.format(shard=shard) for path in files for shard in shards]
        return [f"{folder}/images.zarr/zarr.json", *kind.metadata_files(folder), *of_shards]

    @cached_property
    def all_decoded(self) -> list[str]:
        """What readers of all shards need of the decoded images."""
        return self.decoded(self._plan.source_shards)

    def meshes(self, wildcards: Wildcards) -> list[str]:
        """What a variant's heat fields need of the labels, the store's root first.

        All of them, sealed, whatever shards a job writes: another number of shards a job makes nothing anew.
        """
        return FINISHED_LABELS if self.takes_heat(wildcards) else []

    def takes_heat(self, wildcards: Wildcards) -> bool:
        """Whether a variant's thermalizer may take heat fields; what weights from elsewhere do is not known yet."""
        condition = self.condition(wildcards)
        section = self._plan.thermalizers.section_of(condition)
        return self._plan.config[section]["heat_field"] or condition not in self._plan.trained

    def shard_rows(self, wildcards: Wildcards) -> list[int]:
        """First row of the shard ``{shard}`` and its stop (exclusive)."""
        return self._plan.shard_rows(int(wildcards.shard))

    def rows(self, wildcards: Wildcards) -> list[int]:
        """First row of a variant and its stop (exclusive)."""
        return self._plan.rows(wildcards.variant)

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of a variant, without its kind: stating it makes nothing anew."""
        return in_key_order({key: own for key, own in self._variants[wildcards.variant].items() if key != "kind"})

    def condition(self, wildcards: Wildcards) -> str:
        """The condition whose thermalizer makes a variant."""
        return self._plan.condition(wildcards.variant)

    def ambient(self, wildcards: Wildcards) -> float:
        """Ambient temperature of a variant in °C."""
        return self._plan.ambients[wildcards.variant]

    def heat(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of a variant's temperatures, its own and the rest: persons, seed, tables, state, lens."""
        return in_key_order(self._plan.heat(wildcards.variant))

    def camera(self, wildcards: Wildcards) -> dict[str, Any]:
        """The settings of a variant's camera, its preset's included."""
        return self._plan.cameras[self._variants[wildcards.variant]["camera"]]

    def weights(self, wildcards: Wildcards) -> str:
        """Weights of the thermalizer that makes a variant."""
        return f"results/thermalizers/{self.condition(wildcards)}/weights.pt"

    def provenance(self, wildcards: Wildcards) -> str:
        """How those weights were made."""
        return f"results/thermalizers/{self.condition(wildcards)}/provenance.json"

    def published_files(self, wildcards: Wildcards) -> list[str]:
        """What others published: the folder or zip of a variant's images, and the pickle of points where it has one."""
        settings = self._variants[wildcards.variant]
        return [settings["files"], *([] if settings["points"] is None else [settings["points"]])]

    def base_root(self, wildcards: Wildcards) -> str:
        """Root metadata of the store that a camera records."""
        return f"{self._base_folder(wildcards)}/thermal.zarr/zarr.json"

    def base_shard(self, wildcards: Wildcards) -> str:
        """The shard that a camera records."""
        return f"{self._base_folder(wildcards)}/thermal.zarr/thermal/c/{wildcards.shard}/0/0"

    def base_manifest(self, wildcards: Wildcards) -> str:
        """That shard's manifest, written last."""
        return f"{self._base_folder(wildcards)}/manifests/{wildcards.shard}.json"

    def _base_folder(self, wildcards: Wildcards) -> str:
        return f"results/variants/{self._plan.base(wildcards.variant)}"

    def arrays(self, wildcards: Wildcards) -> list[str]:
        """Metadata of a variant's arrays."""
        return self._kind(wildcards).metadata_files(f"results/variants/{wildcards.variant}")

    def shard_files(self, wildcards: Wildcards) -> list[str]:
        """Every file that the shard jobs of a variant write into its store."""
        files = self._kind(wildcards).shard_files(f"results/variants/{wildcards.variant}").values()
        return [file.format(shard=shard) for file in files for shard in self._plan.shards(wildcards.variant)]

    def manifests(self, wildcards: Wildcards) -> list[str]:
        """The manifests of a variant's shards."""
        folder = f"results/variants/{wildcards.variant}/manifests"
        return [f"{folder}/{shard}.json" for shard in self._plan.shards(wildcards.variant)]

    def _kind(self, wildcards: Wildcards) -> StoreFiles:
        return self._plan.store_kinds[self._plan.kind_of[wildcards.variant]]

    def shards_per_job(self, uses_gpu: bool) -> int:
        """How many shards a thermalizing job writes with one loading of the network."""
        chosen = self._plan.config["store"]["shards_per_job"]
        if chosen != "auto":
            return chosen
        jobs = max(1, self._plan.images // IMAGES_A_GPU_JOB)
        return math.ceil(len(self._plan.source_shards) / jobs) if uses_gpu else 1

    def batches(self, uses_gpu: bool) -> dict[str, tuple[Sequence[int | str], Sequence[str]]]:
        """The rules that thermalize: a batch has its outputs by name, so each is a rule of its own.

        Args:
            uses_gpu: whether networks run on a GPU here.

        Returns:
            The shards of a rule's jobs, or a wildcard for one, and the variants that the rule is for; by its name.
        """
        size = self.shards_per_job(uses_gpu)
        if size == 1:
            return {"thermalize_faces": (["{shard}"], self._plan.thermalized)}
        variants: dict[tuple[int, ...], list[str]] = {}
        for variant in self._plan.thermalized:
            for _, batch in itertools.groupby(self._plan.shards(variant), lambda shard: shard // size):
                variants.setdefault(tuple(batch), []).append(variant)
        names = ("thermalize_faces" if number == 1 else f"thermalize_faces_{number}" for number in itertools.count(1))
        return {name: (batch, variants[batch]) for name, batch in zip(names, sorted(variants), strict=False)}
