"""The lineage of the products: source, what thermalizers learned from, thermalizers, stores, with their identities."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfake.report.graph import Node
from tfake.report.stores import SealedStore
from tfake.report.words import plural
from tfake.scales import parse_scale

_SOURCE, _FACES = "source", "faces"


def gather_lineage(
    config: Mapping[str, Any],
    archive: Sequence[str],
    source_sha256: str,
    faces: SealedStore,
    variants: Mapping[str, SealedStore],
    weights: Mapping[str, str],
) -> list[Node]:
    """Say what each product of a run was made from.

    Args:
        config: the effective configuration.
        archive: the source archive's files.
        source_sha256: the identity of its samples.
        faces: the faces store.
        variants: variant to its thermal store.
        weights: condition to the SHA-256 of its thermalizer's weights.

    Returns:
        The nodes. A condition that no variant uses is left out, and so is a thermalizer of unknown weights.
    """
    procedural = config["source"]["archive"] is None
    name = "procedural faces" if procedural else " + ".join(os.path.basename(path) for path in archive)
    nodes = [
        Node(_SOURCE, "source", name, f"{plural(faces.rows, 'image')}, {_short(source_sha256)}"),
        Node(_FACES, "labels", faces.name, _short(faces.identity), (_SOURCE,)),
    ]
    for condition in weights:
        nodes += _thermalizer(condition, config, weights[condition])
    for variant, store in variants.items():
        settings = config["variants"][variant]
        parents = (f"thermalizer {settings['condition']}", _SOURCE) if "condition" in settings else ()
        if base := settings.get("of"):
            parents = (f"variant {base}", _FACES)
        elif path := settings.get("files"):
            nodes.append(
                Node(f"files {path}", "published images", os.path.basename(path.rstrip("/")), settings["license"])
            )
            parents = (f"files {path}", _FACES)
        nodes.append(Node(f"variant {variant}", "variant", variant, _short(store.identity), parents))
    return list({node.key: node for node in nodes}.values())


def _thermalizer(condition: str, config: Mapping[str, Any], sha256: str) -> Iterator[Node]:
    key, note = f"thermalizer {condition}", _short(sha256)
    if condition in config.get("thermalizers", {}):
        yield Node(key, "imported thermalizer", condition, note)
        return
    settings, parents = config["conditions"][condition], []
    for role, words in (("pairs", "pairs"), ("bank", "thermal images")):
        path = settings[role]["path"]
        if path:
            scale = str(parse_scale(settings[role]["values"]))
            yield Node(f"{role} {path}", words, os.path.basename(str(path).rstrip("/")), scale)
            parents.append(f"{role} {path}")
        elif role == "pairs":
            yield Node(f"lab {condition}", "procedural pairs", f"lab set, {condition}", "rendered")
            parents.append(f"lab {condition}")
    yield Node(key, "thermalizer", condition, note, (_SOURCE, *parents))


def _short(sha256: str) -> str:
    return sha256[:12]
