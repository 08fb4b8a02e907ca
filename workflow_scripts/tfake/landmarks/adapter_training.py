"""Training a label adapter on faces that have both sets of points, and measuring it on faces it has not seen.

The faces store has 70 exact points and 478 found ones for every face. Where people annotated no set of ours, its points
are made from these two by the places of :mod:`tfake.labels.conventions`: exact where the place is one of the 70, the
mesh's own where it is on the mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

from tfake.core.subject_splits import split_by_subject
from tfake.labels.conventions import convention
from tfake.landmarks.adapters import (
    AdapterArchitecture,
    LabelAdapter,
    face_left,
    faces_right,
    fit_frames,
    flip,
    index_table,
    plain_map,
)
from tfake.reader import open_dataset


@dataclass(frozen=True)
class AdapterSettings:
    """How an adapter is trained.

    Attributes:
        width: of the four inner layers.
        steps: optimiser steps.
        batch: faces a step.
        learning_rate: peak of AdamW's.
        weight_decay: AdamW's.
        jitter: standard deviation of noise on the given points over the face's root mean square radius: points that a
            network finds are not exact.
        validation_share: fraction of the groups that errors are measured on.
        seed: every random choice follows from it.
    """

    width: int = 256
    steps: int = 800
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    jitter: float = 0.01
    validation_share: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class PairedPoints:
    """Faces with two sets of points.

    Attributes:
        source: name of the given set.
        target: name of the wanted set.
        given: (N, n_source, 2) pixels, finite.
        wanted: (N, n_target, 2) pixels; NaN where a point is not known.
        groups: (N,) who or what each face belongs to; no group is on both sides of the validation split.
    """

    source: str
    target: str
    given: np.ndarray
    wanted: np.ndarray
    groups: np.ndarray

    def __post_init__(self) -> None:
        """Raise a ValueError where the shapes are not those of the two sets."""
        for name, points in ((self.source, self.given), (self.target, self.wanted)):
            if points.shape != (len(self.groups), convention(name).points, 2):
                raise ValueError(
                    f"{name}: expected ({len(self.groups)}, {convention(name).points}, 2), found {points.shape}"
                )

    def subset(self, rows: Sequence[int] | np.ndarray) -> "PairedPoints":
        """Some of the faces, by any numpy index."""
        return replace(self, given=self.given[rows], wanted=self.wanted[rows], groups=self.groups[rows])


def train_adapter(pairs: PairedPoints, settings: AdapterSettings) -> tuple[LabelAdapter, dict[str, float]]:
    """Train an adapter, and measure it on groups that it has not seen (:func:`adaptation_errors`).

    Raises:
        ValueError: the faces are of fewer than two groups, so that none can be held out.
    """
    train, validation = split_by_subject(
        [str(group) for group in pairs.groups], settings.validation_share, settings.seed
    )
    if not validation:
        raise ValueError(f"{pairs.source} to {pairs.target}: faces of at least two groups are needed to hold one out")
    adapter = fit_adapter(pairs.subset(train), settings)
    return adapter, adaptation_errors(adapter, pairs.subset(validation))


def fit_adapter(pairs: PairedPoints, settings: AdapterSettings) -> LabelAdapter:
    """Train an adapter on all of its pairs."""
    given, wanted, plain = _in_frames(pairs)
    known = torch.isfinite(wanted).all(dim=2, keepdim=True)
    goal = torch.where(known, wanted - plain, 0.0)
    generator = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.seed)
        adapter = LabelAdapter(AdapterArchitecture(pairs.source, pairs.target, settings.width))
    optimiser = torch.optim.AdamW(adapter.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = OneCycleLR(optimiser, settings.learning_rate, total_steps=settings.steps, pct_start=0.1)
    for _ in range(settings.steps):
        chosen = torch.randint(len(given), (min(settings.batch, len(given)),), generator=generator)
        noise = settings.jitter * torch.randn(given[chosen].shape, generator=generator)
        found = adapter(given[chosen] + noise)
        # Beyond a fiftieth of the face an error counts by its length: annotations have slips.
        losses = nn.functional.smooth_l1_loss(found, goal[chosen], beta=0.02, reduction="none")
        loss = (losses * known[chosen]).sum() / (2 * known[chosen].sum()).clamp(min=1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return adapter.eval()


def adaptation_errors(adapter: LabelAdapter, pairs: PairedPoints) -> dict[str, float]:
    """Errors of an adapter and of the plain mapping, on faces that it was not trained on.

    Returns:
        ``faces``; ``plain`` and ``adapted``, mean distances over sqrt(w h) of the wanted points' box; the same over the
        points that the index table does not map, ``plain_untold`` and ``adapted_untold`` (NaN where it maps all), and
        ``untold``, their number.
    """
    is_mapped = index_table(pairs.source, pairs.target)[1]
    extent = np.nanmax(pairs.wanted, axis=1) - np.nanmin(pairs.wanted, axis=1)
    size = np.sqrt(extent.prod(axis=1))[:, None]
    errors: dict[str, float] = {"faces": len(pairs.groups), "untold": int((~is_mapped).sum())}
    for name, mapped in (
        ("plain", plain_map(pairs.given, pairs.source, pairs.target)),
        ("adapted", adapter.adapt(pairs.given)),
    ):
        distance = np.linalg.norm(mapped - pairs.wanted, axis=2) / size
        errors[name] = float(np.nanmean(distance))
        errors[f"{name}_untold"] = float(np.nanmean(distance[:, ~is_mapped])) if not is_mapped.all() else float("nan")
    return errors


def _in_frames(pairs: PairedPoints) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Given, wanted and plainly mapped points, each in its face's frame; mirrored faces follow where sets allow."""
    given, right = face_left(pairs.given, pairs.source, pairs.target)
    wanted = pairs.wanted.astype(np.float64)
    wanted[right] = flip(wanted[right], pairs.target)
    if "charlotte43" not in (pairs.source, pairs.target):
        given = np.concatenate((given, flip(given, pairs.source)))
        wanted = np.concatenate((wanted, flip(wanted, pairs.target)))
    frame = fit_frames(given, pairs.source)
    plain = plain_map(given, pairs.source, pairs.target)
    return tuple(torch.from_numpy(frame.to_frame(points)).float() for points in (given, wanted, plain))


def pairs_of_stores(results: str, source: str, target: str) -> PairedPoints:
    """Read both sets of every face that has them from the folder, or zip, that holds ``faces``.

    Near-identical faces are one group.

    Raises:
        ValueError: there is no such landmark set, or no face with both.
    """
    convention(source), convention(target)
    rows = open_dataset(results, (), fields=("landmarks_70", "landmarks_478"))
    faces = list(rows)
    both = np.array([np.concatenate((face.landmarks_70, face.landmarks_478)) for face in faces], dtype=np.float64)
    usable = np.isfinite(both).all(axis=(1, 2)) if len(faces) else np.zeros(0, dtype=bool)
    if not usable.any():
        raise ValueError(f"{results}: no face has both 70 and 478 points")
    both = both[usable]
    groups = rows.columns.groups[rows.rows][usable]
    return PairedPoints(source, target, points_of(both, source), points_of(both, target), groups)


def points_of(both: np.ndarray, name: str) -> np.ndarray:
    """A landmark set's points on faces whose 70 and 478 are known: (N, 548, 2), the 70 first, to (N, n, 2) pixels."""
    places = convention(name).places
    if name != "charlotte43":
        return places @ both
    # The set shows the near half of the face; its places are those of a face that looks to the image's left.
    right = np.array([faces_right(face[:70], "face70") for face in both], dtype=bool)
    turned = both.copy()
    turned[right] = np.concatenate((flip(both[right, :70], "face70"), flip(both[right, 70:], "mesh478")), axis=1)
    points = places @ turned
    points[right] = flip(points[right], name)
    return points
