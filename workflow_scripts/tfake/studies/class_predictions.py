"""What classifiers and baselines answer for people whom none of them has seen, here and elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import torch

from tfake.classification.classifier_network import ClassifierNetwork, classify
from tfake.classification.clip_sources import ClipSources
from tfake.classification.face_clips import ClipViews, FaceClip, ShownClips, clips_of_sequences
from tfake.classification.landmark_motion import fit_chosen, motion_features
from tfake.reader.sequences import open_sequences
from tfake.studies.class_scores import COLUMNS, MAJORITY, MOTION, OTHER_CAMERA, OTHER_PEOPLE
from tfake.studies.landmark_study import record_cheaply

_CAMERA_SEED = 1


def find_test_sets(sources: ClipSources, elsewhere: Mapping[str, str]) -> dict[str, list[FaceClip]]:
    """The clips of every test set: nobody in them was learnt from, or chose any weights.

    Args:
        sources: where the study's clips come from.
        elsewhere: folders of other runs with sequences, by name, all of whose people are tested; expressions that the
            study's own sequences do not have are left out.

    Raises:
        ValueError: another run has the same people, or none of the classes.
    """
    own = list(sources.synthetic["test"])
    settings = open_sequences(sources.sequences).attributes["settings"]
    recorded = [
        replace(clip, read=partial(_read_cheaply, clip, settings["ambient_celsius"], place))
        for place, clip in enumerate(own)
    ]
    sets = {OTHER_PEOPLE: own, OTHER_CAMERA: recorded}
    for name, folder in elsewhere.items():
        others = open_sequences(folder)
        if others.attributes["settings"]["seed"] == settings["seed"]:
            raise ValueError(
                f"{folder}: expected other people; its sequences.seed is this one's, {settings['seed']}, too"
            )
        if sources.attribute == "expression":
            others = others.where(expressions=sources.classes)
        sets[name] = clips_of_sequences(others, sources.attribute, sources.classes)
        if not sets[name]:
            raise ValueError(f"{folder}: expected sequences of {', '.join(sources.classes)}; found none")
    return sets | {name: list(parts["test"]) for name, parts in sources.real_sets.items()}


def _read_cheaply(clip: FaceClip, ambient_celsius: float, place: int) -> np.ndarray:
    numbers = range(place * clip.frames, (place + 1) * clip.frames)
    return np.stack(
        [
            record_cheaply(frame, ambient_celsius, _CAMERA_SEED, number)
            for frame, number in zip(clip.read(), numbers, strict=True)
        ]
    )


def answers_of_network(
    network: ClassifierNetwork, sets: Mapping[str, Sequence[FaceClip]], device: torch.device
) -> dict[str, np.ndarray]:
    """What a network answers: set to (N,) int.

    Args:
        network: in evaluation mode, on the device.
        sets: clips by name.
        device: where it is.
    """
    about = network.architecture
    views = ClipViews(about.image_pixels, about.frames, about.crop_scale, 0.0)
    found = {}
    for name, clips in sets.items():
        shown = ShownClips(clips, views)
        images = (torch.from_numpy(shown.show(index)) for index in range(len(shown)))
        logits = [classify(network, [image], device, 1) for image in images]
        found[name] = torch.cat(logits).argmax(dim=1).numpy()
    return found


def answers_of_majority(
    learnt: Sequence[FaceClip], sets: Mapping[str, Sequence[FaceClip]], classes: int
) -> dict[str, np.ndarray]:
    """The commonest class of what is learnt from, the first of several, for every clip."""
    commonest = np.bincount([clip.label for clip in learnt], minlength=classes).argmax()
    return {name: np.full(len(clips), commonest) for name, clips in sets.items()}


def answers_of_motion(
    learnt: Sequence[FaceClip],
    held_out: Sequence[FaceClip],
    sets: Mapping[str, Sequence[FaceClip]],
    classes: int,
) -> dict[str, np.ndarray]:
    """What a linear model of the exact landmarks' movement answers; sets without such landmarks are left out."""
    (features, labels), (held_features, held_labels) = (_describe(clips) for clips in (learnt, held_out))
    fitted = fit_chosen(features, labels, held_features, held_labels, classes)
    known = {name: clips for name, clips in sets.items() if all(clip.landmarks is not None for clip in clips)}
    return {name: fitted.predict(_describe(clips)[0]) for name, clips in known.items()}


def _describe(clips: Sequence[FaceClip]) -> tuple[np.ndarray, np.ndarray]:
    """Features of the movement (N, D), and classes (N,)."""
    return np.stack([motion_features(clip.landmarks()) for clip in clips]), np.array([clip.label for clip in clips])


def tabulate(
    about: Mapping[str, str | int],
    answers: Mapping[str, np.ndarray],
    sets: Mapping[str, Sequence[FaceClip]],
    classes: Sequence[str],
) -> Iterator[dict[str, str | int]]:
    """A row an answer, of ``COLUMNS``.

    Args:
        about: ``method``, ``regime`` and ``seed``.
        answers: set to (N,) int.
        sets: set to its clips.
        classes: names of the classes.
    """
    for name, found in answers.items():
        for clip, answer in zip(sets[name], found.tolist(), strict=True):
            yield {
                **about,
                "set": name,
                "clip": clip.name,
                "subject": clip.subject,
                "truth": classes[clip.label],
                "answer": classes[answer],
            }


def answers_of_baselines(
    sources: ClipSources, regimes: Sequence[str], sets: Mapping[str, Sequence[FaceClip]]
) -> pd.DataFrame:
    """The answers of the baselines, of ``COLUMNS``: of each regime the commonest class, of expressions the movement."""
    rows: list[dict[str, str | int]] = []
    for regime in regimes:
        synthetic, real, held_out = sources.to_learn_from(regime)
        about: dict[str, str | int] = {"regime": regime, "seed": 0}
        majority = answers_of_majority([*synthetic, *real], sets, len(sources.classes))
        rows += tabulate({"method": MAJORITY, **about}, majority, sets, sources.classes)
        if sources.attribute == "expression":
            motion = answers_of_motion(synthetic, held_out, sets, len(sources.classes))
            # What a camera does to the heat moves no exact landmark.
            motion.pop(OTHER_CAMERA, None)
            rows += tabulate({"method": MOTION, **about}, motion, sets, sources.classes)
    return pd.DataFrame(rows, columns=list(COLUMNS))
