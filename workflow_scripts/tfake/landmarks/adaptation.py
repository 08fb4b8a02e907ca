"""A landmarker adapted to somebody's own camera, without labels: it looks, learns, is checked, written or refused."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tfake.core.devices import resolve_device
from tfake.landmarks.adaptation_check import CheckFigures, CheckLimits, Moves, compare, measure, what_is_worse
from tfake.landmarks.adaptation_faces import AdaptationRefusedError, DetectorPart, adapt_finding, check_counts
from tfake.landmarks.landmark_network import Calibration, LandmarkNetwork
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.landmarker_file import (
    FORMAT,
    load_landmark_weights,
    save_landmark_provenance,
    save_landmark_weights,
)
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.pseudo_labels import (
    FoundFace,
    LabelSettings,
    PseudoFace,
    choose_evenly,
    find_all,
    label_faces,
    split_found,
)
from tfake.landmarks.release import FORMAT as RELEASE
from tfake.landmarks.release import Detector, load_release, pack_tensors, save_release, unpack_tensors
from tfake.landmarks.self_training import self_train, settings_for
from tfake.store.manifest import file_sha256
from tfake.thermal_io.scales import Scale
from tfake.training.averaging import average_weights
from tfake.training.weights_file import read_weights

#: Which part of a landmarker is adapted.
PARTS = ("auto", "detector", "points", "both")


@dataclass(frozen=True)
class AdaptationSettings:
    """How a landmarker is adapted.

    Attributes:
        part: of the landmarker: ``detector``, ``points``, ``both``, or ``auto``, the detector of one that has it.
        share: of the way from the old weights of the points' network to the new ones.
        held_out_share: fraction of the subjects that are checked on, or of a single one's pictures.
        steps: of the points' training.
        learning_rate: at its peak.
        seed: of the crops.
        labels: which answers are learnt from.
        limits: what is worse.
        finding: how the detector is adapted.
    """

    part: str = "auto"
    share: float = 0.2
    held_out_share: float = 0.25
    steps: int = 100
    learning_rate: float = 3e-4
    seed: int = 0
    labels: LabelSettings = field(default_factory=LabelSettings)
    limits: CheckLimits = field(default_factory=CheckLimits)
    finding: DetectorPart = field(default_factory=DetectorPart)

    def __post_init__(self) -> None:
        """Raise a ValueError for fractions that are none, and a part that is none."""
        if self.part not in PARTS:
            raise ValueError(f"part: expected one of {', '.join(PARTS)}; found {self.part!r}")
        for name in ("share", "held_out_share"):
            value = getattr(self, name)
            if not 0 < value <= 1 or (name == "held_out_share" and value == 1):
                raise ValueError(f"{name}: expected a fraction above 0, found {value!r}")


class Landmarker(NamedTuple):
    """What a file to adapt holds, and its format."""

    network: LandmarkNetwork
    calibration: Calibration
    detector: Detector | None
    kind: str

    def save(self, path: str | Path) -> None:
        """Write it in the format that it came in."""
        if self.kind == RELEASE:
            save_release(path, self.network, self.calibration, self.detector)
        else:
            save_landmark_weights(path, self.network, self.calibration)


Train = Callable[[LandmarkNetwork, list[PseudoFace], LandmarkSettings, torch.device], LandmarkNetwork]


def adapt_landmarker(
    folder: str | Path,
    weights: str | Path,
    output: str | Path,
    settings: AdaptationSettings | None = None,
    device: str = "auto",
    rate: float | None = None,
    scale: Scale | None = None,
    subjects: str | None = None,
    detector: str | None = None,
    train: Train = self_train,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Adapt a landmarker to the pictures of a folder, and write it with a JSON of what was measured beside it.

    Args:
        folder: pictures and films, or one film.
        weights: the landmarker to begin with: a release, or a landmark network of this workflow.
        output: the file to write, in the form of ``weights``.
        settings: how.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        rate: frames a second, where films do not tell.
        scale: what numbers are declared to be; None: what their type says.
        subjects: as :func:`tfake.landmarks.pseudo_labels.find_all` takes it.
        detector: a face detector in place of the one in the weights, to find the faces whose points are learnt; it is
            neither adapted nor written.
        train: what makes another network out of the first one and faces.
        say: is told what is done, a line each.

    Returns:
        What the JSON holds.

    Raises:
        FileNotFoundError: no such folder or file of weights.
        ValueError: the weights or the part cannot be adapted, the output is an input, or there are too few faces.
        AdaptationRefusedError: an adapted network is worse; nothing was written.
    """
    settings = settings or AdaptationSettings()
    record_path = Path(output).with_suffix(".json")
    _check_output(folder, weights, output, record_path)
    place = resolve_device(device)
    start = open_landmarker(weights)
    parts = _parts_of(weights, start, settings.part)
    record: dict[str, Any] = {"initial_sha256": file_sha256(weights), "settings": asdict(settings), "parts": parts}
    adapted = start
    if "detector" in parts:
        found_faces, record["detector"] = adapt_finding(
            folder,
            start.detector,
            settings.finding,
            settings.held_out_share,
            settings.seed,
            place,
            scale,
            subjects,
            say,
        )
        adapted = adapted._replace(detector=found_faces)
    if "points" in parts:
        landmarker = ThermalLandmarker(weights, device, detector=detector)
        found, counts = find_all(folder, landmarker, rate, scale, subjects)
        say(f"pictures: {counts['pictures']}, not read: {counts['unreadable']}; faces: {len(found)}")
        network, measured = _adapt_points(folder, found, start, settings, train, place, scale, say)
        record |= {**counts, "found": len(found), **measured}
        adapted = adapted._replace(network=network)
    adapted.save(output)
    record |= {
        "weights_sha256": file_sha256(output),
        "device": place.type,
        "threads": torch.get_num_threads(),
    }
    save_landmark_provenance(record_path, **record)
    return record


def _parts_of(weights: str | Path, start: Landmarker, part: str) -> list[str]:
    """What is to be adapted of a landmarker."""
    if part == "auto":
        part = "points" if start.detector is None else "detector"
    if part != "points" and start.detector is None:
        raise ValueError(f"{weights}: it has no detector to adapt; expected part points, found {part}")
    return ["detector", "points"] if part == "both" else [part]


def _adapt_points(
    folder: str | Path,
    found: list[FoundFace],
    start: Landmarker,
    settings: AdaptationSettings,
    train: Train,
    place: torch.device,
    scale: Scale | None,
    say: Callable[[str], None],
) -> tuple[LandmarkNetwork, dict[str, Any]]:
    """Another network for points, on the CPU, and what was measured of it."""
    chosen = settings_for(start.network, steps=settings.steps, learning_rate=settings.learning_rate, seed=settings.seed)
    learnt, held, verdicts = _label(folder, found, start.network.to(place), place, settings, scale)
    say(f"to learn from: {len(learnt)} ({_said(verdicts)}); to check on: {len(held)}")
    check_counts(folder, len(learnt), len(held))
    end = train(start.network, learnt, chosen, place).to(place)
    adapted = _as_written(average_weights(start.network, end, settings.share), start.kind)
    before, old = measure(start.network, held, start.calibration.threshold, place)
    after, new = measure(adapted, held, start.calibration.threshold, place)
    moves = compare(old, new)
    for line in describe(before, after, moves):
        say(line)
    if worse := what_is_worse(before, after, moves, settings.limits):
        raise AdaptationRefusedError(
            f"{folder}: the adapted landmarker is worse on {len(held)} held-out faces, and was not written: "
            + "; ".join(worse)
        )
    return adapted.cpu(), {
        "training": chosen.as_mapping(),
        "verdicts": verdicts,
        "faces": len(learnt),
        "held_out": {"faces": len(held), "subjects": sorted({face.found.subject for face in held})},
        "before": asdict(before),
        "after": asdict(after),
        "moves": moves._asdict(),
    }


def open_landmarker(path: str | Path) -> Landmarker:
    """Read a landmarker that can be adapted.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is none of this workflow.
    """
    content = read_weights(path, "landmarker")
    kind = content.get("format") if isinstance(content, dict) else None
    if kind == RELEASE:
        return Landmarker(*load_release(path), RELEASE)
    if kind == FORMAT:
        return Landmarker(*load_landmark_weights(path), None, FORMAT)
    raise ValueError(f"{path}: no landmarker to adapt: expected {RELEASE} or {FORMAT}, found {kind!r}")


def describe(before: CheckFigures, after: CheckFigures, moves: Moves) -> list[str]:
    """What a check measured, in lines."""
    jitters = ["none" if figures.jitter is None else f"{figures.jitter:.4f}" for figures in (before, after)]
    return [
        f"on {before.faces} held-out faces, before and after (of the face's size):",
        f"  answers on one face disagree by {before.inconsistency:.4f}, {after.inconsistency:.4f}",
        f"  points jitter by {', '.join(jitters)}",
        f"  faces found {before.found}, {after.found}; windows beside them that pass for one {before.wrong}, "
        f"{after.wrong}",
        f"  points moved by {moves.each:.4f}, all together by {moves.together:.4f}",
    ]


def _label(
    folder: str | Path,
    found: list[FoundFace],
    network: LandmarkNetwork,
    device: torch.device,
    settings: AdaptationSettings,
    scale: Scale | None,
) -> tuple[list[PseudoFace], list[PseudoFace], dict[str, int]]:
    """Faces to learn from, faces to check on, and what became of those that were looked at to learn from."""
    finder, labels = NetworkFinder(network, device), settings.labels
    learn, check = split_found(found, settings.held_out_share)
    looked = list(label_faces(folder, choose_evenly(learn, labels.most_faces), finder, labels, scale))
    # Three frames that follow each other tell the jitter; a face is checked on whether anybody is sure of it or not.
    wanted = choose_evenly(check, max(1, round(labels.most_faces * settings.held_out_share)), run=3)
    held = sorted(
        label_faces(folder, wanted, finder, labels, scale),
        key=lambda face: (face.found.file, face.found.track, face.found.picture),
    )
    sure = [face for face in looked if face.verdict == "sure"]
    return sure, held, dict(sorted(Counter(face.verdict for face in looked).items()))


def _as_written(network: LandmarkNetwork, kind: str) -> LandmarkNetwork:
    """The network as its file gives it back: what is checked is what is used."""
    if kind == RELEASE:
        network.load_state_dict(unpack_tensors(pack_tensors(network.state_dict())))
    return network.eval()


def _check_output(folder: str | Path, weights: str | Path, output: str | Path, record: Path) -> None:
    if record == Path(output):
        raise ValueError(f"{output}: a landmarker's file is not called .json: the record beside it is")
    inputs = {Path(weights).resolve(), Path(weights).with_suffix(".json").resolve(), Path(folder).resolve()}
    for path in (Path(output), record):
        if path.resolve() in inputs:
            raise ValueError(f"{path}: nothing is written over an input; name another file")
        if path.is_dir() or not path.resolve().parent.is_dir():
            raise ValueError(f"{path}: expected a file in a folder that is there")


def _said(verdicts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in verdicts.items()) or "none"
