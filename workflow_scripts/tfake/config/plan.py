"""What the rules ask of a config, as plain values: which variants are made how, in which rooms, of which rows."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

Rooms = tuple[float, float]


class Plan:
    """A config that was found sound, read by name."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take a config.

        Args:
            config: complete, and found sound by :func:`tfake.config.checks.find_conflicts`.
        """
        self._config = config
        variants = config["variants"]
        #: Conditions by how they come to their thermalizer.
        self.conditions = tuple(config["conditions"])
        self.released = tuple(config["thermalizers"])
        self.trained = tuple(name for name in self.conditions if name not in self.released)
        #: Variants by how they are made: recorded from another one, published by others, thermalized.
        self.variants = tuple(variants)
        self.recorded = tuple(name for name in self.variants if "of" in variants[name])
        self.imported = tuple(name for name in self.variants if "files" in variants[name])
        self.thermalized = tuple(name for name in self.variants if name not in self.recorded + self.imported)
        self.images: int = config["source"]["images"]
        self.shard_images: int = config["store"]["shard_images"]

    @cached_property
    def one_room(self) -> tuple[str, ...]:
        """Conditions that are trained for one room, not for a range of them."""
        conditions = self._config["conditions"]
        return tuple(name for name in self.conditions if not isinstance(conditions[name]["ambient_celsius"], list))

    @cached_property
    def ambients(self) -> dict[str, float]:
        """Room of each variant in °C."""
        return {name: self.ambient(name) for name in (*self.thermalized, *self.imported, *self.recorded)}

    @cached_property
    def cameras(self) -> dict[str, dict[str, Any]]:
        """Settings of each camera, its preset's included, in the order of their keys."""
        cameras = self._config["cameras"]
        complete = {name: {**cameras.get(own.get("preset"), {}), **own} for name, own in cameras.items()}
        return {name: {key: own[key] for key in sorted(own) if key != "preset"} for name, own in complete.items()}

    def rooms(self, condition: str) -> Rooms:
        """Lowest and highest room of a condition in °C; equal where it is one number."""
        rooms = self._config["conditions"][condition]["ambient_celsius"]
        return tuple(rooms) if isinstance(rooms, list) else (rooms, rooms)

    def base(self, variant: str) -> str:
        """The variant that a camera looks at; any other variant itself."""
        return self._config["variants"][variant].get("of", variant)

    def ambient(self, variant: str) -> float:
        """Room of a variant in °C: its own, or its condition's."""
        settings = self._config["variants"][self.base(variant)]
        own = settings["ambient_celsius"]
        return self.rooms(settings["condition"])[0] if own is None else own

    def rows(self, variant: str) -> list[int]:
        """First row of a variant and the row after its last: its own, its base's, or all."""
        variants = self._config["variants"]
        return variants[variant].get("images") or variants[self.base(variant)].get("images") or [0, self.images]

    def shards(self, variant: str) -> range:
        """Numbers of a variant's shards."""
        start, stop = self.rows(variant)
        return range(start // self.shard_images, math.ceil(stop / self.shard_images))
