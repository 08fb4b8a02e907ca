"""What is made of finished stores: publication, exports, a comparison, repair and a forecast."""

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tfake.config.plan_rules import Wildcards
from tfake.config.preflight import check_compared

if TYPE_CHECKING:
    from tfake.config.plan import Plan


class ProductPlan:
    """Variants that are handed on, and files that products read."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        publication = plan.config["publication"]
        self.version: str = publication["version"]
        #: Variants that are made here, and those of them that are published and exported.
        self.own = plan.thermalized + plan.recorded
        self.published = publication["variants"] or self.own
        #: Whether exports hold the source's images.
        self.exports_rgb: bool = publication["rgb"]
        #: Folders of all stores.
        self.stores = ["results/faces", "results/images", *(f"results/variants/{name}" for name in plan.variants)]

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
