"""All figures of the realism study: every set of faces against every real one, and what real ones reach themselves.

A ceiling is the same figure between two halves of the people of one real set: nothing made can be asked for more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tfake.heat.patterns import centred, standardised
from tfake.studies.heat_patterns import mean_pattern, person_spread, score_pattern, split_half
from tfake.studies.landmark_errors import finite
from tfake.studies.realism_faces import FaceSet
from tfake.studies.skin_texture import compare_texture, is_seen, log_spectrum, skin_faces
from tfake.studies.two_sample_test import TwoSample, tell_faces_apart, tell_patches_apart

#: Halvings of a real set's people that its ceilings are the mean of.
_HALVINGS = 5
#: Figures of a set by itself that are rows of the table.
_SET_FIGURES = ("faces", "compared", "persons", "pixels", "sd", "own", "border")


def measure_realism(made: Sequence[FaceSet], real: Sequence[FaceSet], seed: int) -> dict[str, Any]:
    """Measure all sets.

    Args:
        made: variants and other synthetic sets.
        real: sets of real faces; may be empty.
        seed: of the halves, the folds and the noise of the two-sample tests.

    Returns:
        JSON of ``sets`` (name to what it is by itself), ``ceilings`` (name of a real set to its figures between halves)
        and ``pairs`` (a set against a real one); None where a figure is not defined.
    """
    patterns = {faces.title: mean_pattern(faces) for faces in real if len(faces)}
    everything = [*real, *made]
    found = {
        "sets": {faces.title: _describe(faces, faces in real) for faces in everything},
        "ceilings": {faces.title: _find_ceiling(faces, seed) for faces in real if len(faces)},
        "pairs": [
            {"set": faces.title, "real": other.title, **compare_sets(faces, other, patterns[other.title], seed)}
            for other in real
            for faces in everything
            if faces is not other and len(faces) and len(other)
        ],
    }
    return finite(found)


def compare_sets(faces: FaceSet, real: FaceSet, pattern: np.ndarray, seed: int) -> dict[str, Any]:
    """The figures of one set against a real one.

    Args:
        faces: the set.
        real: the real set.
        pattern: its mean pattern.
        seed: of the two-sample tests.
    """
    scores = asdict(score_pattern(faces, pattern))
    scores["sd"] = scores["sd"] if faces.radiometric else None
    texture = asdict(compare_texture(faces, real))
    tests = {"patches": tell_patches_apart(faces, real, seed), "faces": tell_faces_apart(faces, real, seed)}
    return {**scores, **texture, **_tests(tests)}


def figure_rows(found: Mapping[str, Any], trained: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Every figure as a row: ``set``, ``against`` (a real set, or empty), ``figure``, ``value``.

    Args:
        found: from :func:`measure_realism`.
        trained: variant to test set to the scores of the network trained on it
            (:func:`tfake.studies.landmark_errors.summarise`).
    """
    rows: list[tuple] = []
    for name, own in found["sets"].items():
        rows += [(name, "", key, own[key]) for key in _SET_FIGURES]
        for group in ("spread_kelvin", "spread"):
            rows += [(name, "", f"{group}_{place.replace(' ', '_')}", value) for place, value in own[group].items()]
    for name, own in found["ceilings"].items():
        rows += [(name, name, f"ceiling_{key}", value) for key, value in own.items()]
    for pair in found["pairs"]:
        figures = {key: value for key, value in pair.items() if isinstance(value, float | int | None)}
        rows += [(pair["set"], pair["real"], key, value) for key, value in figures.items()]
    for variant, sets in trained.items():
        for test_set, methods in sets.items():
            for method, parts in methods.items():
                box = parts["errors"]["box"]
                rows += [(variant, test_set, f"tstr {method}: {key}", value) for key, value in box.items()]
    return pd.DataFrame(rows, columns=["set", "against", "figure", "value"])


def _describe(faces: FaceSet, is_real: bool) -> dict[str, Any]:
    scores = score_pattern(faces)
    in_kelvin = person_spread(faces, centred) if faces.radiometric else {}
    return {
        "is_real": is_real,
        "radiometric": faces.radiometric,
        "faces": len(faces),
        "compared": int(is_seen(faces).sum()),
        "persons": len(np.unique(faces.persons)),
        "left_out": {reason: count for reason, count in faces.left_out.items() if count},
        "pixels": _median(faces.sizes),
        "sd": scores.sd if faces.radiometric else None,
        "own": scores.own,
        "border": scores.border,
        "spread_kelvin": in_kelvin,
        "spread": person_spread(faces, standardised),
        "pattern": mean_pattern(faces).tolist(),
        "log_spectrum": log_spectrum(skin_faces(faces)).tolist(),
    }


def _find_ceiling(faces: FaceSet, seed: int) -> dict[str, Any]:
    r, r_sd = split_half(faces, seed)
    people, rng = np.unique(faces.persons), np.random.default_rng(seed)
    figures: dict[str, list[float]] = {}
    for number in range(_HALVINGS if len(people) > 1 else 0):
        first = np.isin(faces.persons, rng.permutation(people)[: len(people) // 2])
        halves = faces.subset(first), faces.subset(~first)
        texture = compare_texture(*halves)
        tests = {
            "patches": tell_patches_apart(*halves, seed + number),
            "faces": tell_faces_apart(*halves, seed + number),
        }
        values = {"spectrum": texture.spectrum, "gradient": texture.gradient, "edges": texture.edges}
        values |= {f"auc_{name}": test.auc for name, test in tests.items()}
        for name, value in values.items():
            figures.setdefault(name, []).append(value)
    spread = {f"{name}_sd": float(np.std(values)) for name, values in figures.items()}
    return {"r": r, "r_sd": r_sd, **{name: float(np.mean(values)) for name, values in figures.items()}, **spread}


def _tests(tests: Mapping[str, TwoSample]) -> dict[str, float]:
    return {f"auc_{name}": test.auc for name, test in tests.items()} | {
        f"auc_{name}_sd": test.sd for name, test in tests.items()
    }


def _median(values: Iterable[float]) -> float:
    listed = list(values)
    return float(np.median(listed)) if listed else float("nan")
