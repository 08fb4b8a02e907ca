"""What the records of :mod:`tfake.studies.sequence_tasks` come to: totals, intervals by subject, and what was asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from tfake.core.subject_bootstrap import subject_interval
from tfake.studies.landmark_errors import detection_summary
from tfake.studies.motion_measures import MotionSums
from tfake.studies.track_measures import TrackCounts

#: A breathing rate is to be read back within so many breaths a minute.
MOST_RATE_ERROR = 1.0
#: Measures of points and of tracks, by the names that tables and pages give them.
MOTION = {"nme": "nme", "jitter": "mean_jitter", "lag_frames": "lag_frames"}
TRACKS = {"mota": "mota", "idf1": "idf1"}
_Record = Mapping[str, Any]
_ALL = "all"


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made.

    Attributes:
        draws: how often subjects are drawn.
        seed: of the draws.
    """

    draws: int
    seed: int

    def measured(self, subjects: Sequence[str], measure: Callable[[np.ndarray], float]) -> dict[str, float]:
        """A measure of all rows, with its interval: ``value``, ``low``, ``high``."""
        low, high = subject_interval(subjects, measure, self.draws, self.seed)
        return {"value": measure(np.arange(len(subjects))), "low": low, "high": high}


def sequence_table(records: Sequence[_Record]) -> pd.DataFrame:
    """A row a sequence and way."""
    rows = []
    for record in records:
        for way, own in record["ways"].items():
            about = {name: record[name] for name in ("sequence_id", "subject_id", "expression", "state", "frames")}
            motion = MotionSums(**own["motion"])
            row = {**about, "way": way, "found": motion.frames}
            row |= {name: getattr(motion, measure) for name, measure in MOTION.items()}
            rows.append(row | _track_row(own.get("tracks")))
    return pd.DataFrame(rows)


def scene_table(scenes: Sequence[_Record]) -> pd.DataFrame:
    """A row a scene and way."""
    names = ("scene", "group", "kind", "frames", "least_visible")
    rows = [
        {name: scene[name] for name in names}
        | {"people": len(scene["sequences"]), "sequences": " ".join(scene["sequences"]), "way": way}
        | _track_row(own["tracks"])
        for scene in scenes
        for way, own in scene["ways"].items()
    ]
    columns = [*names, "people", "sequences", "way", *_track_row(None)]
    return pd.DataFrame(rows, columns=columns)


def breathing_table(records: Sequence[_Record]) -> pd.DataFrame:
    """A row a sequence and kind of points: rates, and the error in breaths a minute."""
    rows = []
    for record in records:
        breathing = record["breathing"]
        for points in ("found", "true_points"):
            own = breathing[points]
            rate = float("nan") if own["breaths_per_minute"] is None else own["breaths_per_minute"]
            about = {name: record[name] for name in ("sequence_id", "subject_id", "state")}
            read = {"points": points, "true_rate": breathing["true_rate"], "rate": rate}
            read["error"] = rate - breathing["true_rate"]
            rows.append(about | read | {name: own[name] for name in ("seconds", "peak_share", "valid", "reason")})
    return pd.DataFrame(rows)


def summarise(records: Sequence[_Record], scenes: Sequence[_Record], bootstrap: Bootstrap) -> dict[str, Any]:
    """Totals.

    Args:
        records: of sequences, at least one.
        scenes: of several people; there may be none.
        bootstrap: how intervals are made: by subject and, of scenes, by group of people.

    Returns:
        ``sequences``, ``subjects``, ``frames``; ``localisation``; ``ways``: by name its measures, and ``switches``;
        ``jitter_ratio``; ``scenes``: by kind and way; ``breathing``: by points; ``asked``: what was asked, measured
        and met.
    """
    subjects = [record["subject_id"] for record in records]
    found: dict[str, Any] = {
        "sequences": len(records),
        "subjects": len(set(subjects)),
        "frames": sum(record["frames"] for record in records),
        "localisation": _localisation(records, subjects, bootstrap),
        "ways": {},
    }
    for way in records[0]["ways"]:
        own = [record["ways"][way] for record in records]
        sums = _stacked(MotionSums, [entry["motion"] for entry in own])
        found["ways"][way] = _measures(MotionSums, MOTION, sums, subjects, bootstrap)
        if "tracks" in own[0]:
            found["ways"][way] |= _tracks([entry["tracks"] for entry in own], subjects, bootstrap)
    found["jitter_ratio"] = _jitter_ratio(records, subjects, bootstrap)
    found["scenes"] = _scenes(scenes, bootstrap)
    found["breathing"] = {
        points: _rates(own, bootstrap) for points, own in breathing_table(records).groupby("points", sort=False)
    }
    found["asked"] = _asked(found)
    return found


def _track_row(tracks: Mapping[str, int] | None) -> dict[str, Any]:
    if tracks is None:
        return dict.fromkeys((*TRACKS, "switches"), float("nan"))
    counts = TrackCounts(**tracks)
    return {name: getattr(counts, measure) for name, measure in TRACKS.items()} | {"switches": counts.switches}


def _stacked(kind: type, entries: Sequence[Mapping[str, float]]) -> np.ndarray:
    """(N, fields) numbers."""
    return np.array([[entry[field.name] for field in fields(kind)] for entry in entries])


def _measures(
    kind: type, names: Mapping[str, str], sums: np.ndarray, subjects: Sequence[str], bootstrap: Bootstrap
) -> dict[str, Any]:
    def measure(name: str) -> Callable[[np.ndarray], float]:
        return lambda places: float(getattr(kind(*sums[places].sum(axis=0)), name))

    return {name: bootstrap.measured(subjects, measure(own)) for name, own in names.items()}


def _tracks(entries: Sequence[Mapping[str, int]], subjects: Sequence[str], bootstrap: Bootstrap) -> dict[str, Any]:
    sums = _stacked(TrackCounts, entries)
    return _measures(TrackCounts, TRACKS, sums, subjects, bootstrap) | {
        "switches": sum(entry["switches"] for entry in entries),
        "faces": sum(entry["truths"] for entry in entries),
    }


def _localisation(records: Sequence[_Record], subjects: Sequence[str], bootstrap: Bootstrap) -> dict[str, Any]:
    judged = [np.array(record["detections"], float).reshape(-1, 2) for record in records]
    frames = np.array([record["frames"] for record in records])

    def measure(name: str) -> Callable[[np.ndarray], float]:
        def of(places: np.ndarray) -> float:
            boxes = np.concatenate([judged[place] for place in places])
            return detection_summary(boxes[:, 0], boxes[:, 1] > 0, int(frames[places].sum()))[name]

        return of

    def false_faces(places: np.ndarray) -> float:
        return 1000 * sum(float((judged[place][:, 1] == 0).sum()) for place in places) / frames[places].sum()

    return {
        "average_precision": bootstrap.measured(subjects, measure("average_precision")),
        "recall": bootstrap.measured(subjects, measure("recall")),
        "false_faces_per_1000_frames": bootstrap.measured(subjects, false_faces),
    }


def _jitter_ratio(records: Sequence[_Record], subjects: Sequence[str], bootstrap: Bootstrap) -> dict[str, float]:
    """Jitter of a followed face over that of single frames."""
    sums = {
        way: _stacked(MotionSums, [record["ways"][way]["motion"] for record in records]) for way in ("frames", "both")
    }

    def ratio(places: np.ndarray) -> float:
        alone, followed = (MotionSums(*sums[way][places].sum(axis=0)).mean_jitter for way in ("frames", "both"))
        return followed / alone if alone else float("nan")

    return bootstrap.measured(subjects, ratio)


def _scenes(scenes: Sequence[_Record], bootstrap: Bootstrap) -> dict[str, Any]:
    kinds = [_ALL, *dict.fromkeys(scene["kind"] for scene in scenes)] if scenes else []
    found: dict[str, Any] = {}
    for kind in kinds:
        own = [scene for scene in scenes if kind in (_ALL, scene["kind"])]
        groups = [scene["group"] for scene in own]
        found[kind] = {"scenes": len(own), "ways": {}}
        for way in own[0]["ways"]:
            found[kind]["ways"][way] = _tracks([scene["ways"][way]["tracks"] for scene in own], groups, bootstrap)
    return found


def _rates(table: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Any]:
    told = table[table["valid"]]
    errors = told["error"].abs().to_numpy(float)

    def mean(places: np.ndarray) -> float:
        return float(errors[places].mean()) if len(places) else float("nan")

    return {
        "sequences": len(table),
        "told": len(told),
        "mean_error": bootstrap.measured(told["subject_id"].tolist(), mean),
        "worst_error": float(errors.max()) if len(errors) else float("nan"),
        "within": int((errors <= MOST_RATE_ERROR).sum()),
        "reasons": table[~table["valid"]]["reason"].value_counts().to_dict(),
    }


def _asked(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = [
        ("jitter when followed, over that frame by frame", "at most", 0.5, found["jitter_ratio"]["value"]),
        ("lag when followed, frames", "within", 1.0, found["ways"]["both"]["lag_frames"]["value"]),
        ("IDF1 on sequences", "at least", 0.98, found["ways"]["both"]["idf1"]["value"]),
    ]
    if found["scenes"]:
        idf1 = found["scenes"][_ALL]["ways"]["both"]["idf1"]["value"]
        rows.append(("IDF1 where people cross", "at least", 0.98, idf1))
    worst = found["breathing"]["found"]["worst_error"]
    rows.append(("error of the breathing rate, a minute, at worst", "at most", MOST_RATE_ERROR, worst))
    return [
        {"what": what, "asked": f"{how} {limit:g}", "measured": value, "met": _is_met(how, limit, value)}
        for what, how, limit, value in rows
    ]


def _is_met(how: str, limit: float, value: float) -> bool | None:
    """None where nothing was measured."""
    if not np.isfinite(value):
        return None
    return bool({"at most": value <= limit, "at least": value >= limit, "within": abs(value) <= limit}[how])
