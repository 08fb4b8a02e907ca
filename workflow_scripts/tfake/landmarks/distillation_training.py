"""Training a landmark network with a teacher: from visible to thermal faces, and from a network to smaller ones.

    L = l(p_t, y) + f(step) sum_k w_k L_k

with l the likelihood that plain training has, f a factor that fades (:func:`decay_factor`) and the terms of
:data:`tfake.landmarks.distillation_terms.TERMS`. Without terms it is plain training, bit for bit. In a second stage,
where the settings have one, the student's head alone goes on, on the truth alone.

The two levels, a visible-light teacher for a thermal network and that one for small ones, the injection in both
directions and the fading weight are ideas of Tong et al., arXiv 2510.11128. The formulas, what a crop pair is, how
features of other sizes are mapped, the stage of the head and every number are this project's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from tfake.landmarks.crop_sampling import Crop, FaceSampler, LandmarkBatch, crop_rgb
from tfake.landmarks.distillation_losses import DECAYS, decay_factor
from tfake.landmarks.distillation_terms import TERMS, Lesson
from tfake.landmarks.distilled_network import DistilledNetwork, freeze
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.landmarks.landmark_training import LandmarkTrainState
from tfake.landmarks.landmarker_file import load_landmark_weights
from tfake.training.loading import TensorBatch
from tfake.training.training_settings import autocast_body

SIGHTS = ("rgb", "same")


@dataclass(frozen=True)
class DistillationSettings:
    """How a student is taught; how it is trained beside that is in ``LandmarkSettings``.

    Attributes:
        weights: a term of ``TERMS`` to its weight; one that is left out or 0 is no part of the loss.
        decay: how the weight of all terms fades over the run, ``linear`` to 0 or ``none``.
        teacher_sees: ``rgb``, the visible image where the student's crop lies, as it is; or ``same``, what the student
            sees.
        head_share: fraction of the steps, the last ones, in which the student's head alone learns.
        gradient_every: steps between two measurements of each term's gradient; 0 measures none.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    decay: str = "linear"
    teacher_sees: Literal["rgb", "same"] = "rgb"
    head_share: float = 0.0
    gradient_every: int = 100

    def __post_init__(self) -> None:
        """Raise a ValueError for a value that cannot train, named with its key."""
        if unknown := sorted(set(self.weights) - set(TERMS)):
            raise ValueError(f"weights must be of {', '.join(TERMS)}; found {', '.join(unknown)}")
        if low := [name for name, weight in self.weights.items() if weight < 0]:
            raise ValueError(f"weights must be at least 0; found {self.weights[low[0]]} for {low[0]}")
        for key, known in (("decay", DECAYS), ("teacher_sees", SIGHTS)):
            if getattr(self, key) not in known:
                raise ValueError(f"{key} must be one of {', '.join(known)}; found {getattr(self, key)!r}")
        if not 0 <= self.head_share < 1:
            raise ValueError(f"head_share must be at least 0 and below 1; found {self.head_share}")
        if self.gradient_every < 0:
            raise ValueError(f"gradient_every must be at least 0; found {self.gradient_every}")

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the terms that are part of the loss, in the order of ``TERMS``."""
        return tuple(name for name in TERMS if self.weights.get(name, 0) > 0)

    def as_mapping(self) -> dict[str, Any]:
        """The settings as plain values."""
        return {**asdict(self), "weights": dict(self.weights)}


@dataclass(frozen=True)
class TeacherView(TensorBatch):
    """What the teacher sees of a step's crops, in their order."""

    pixels: Tensor  # (B, 3, R, R) uint8
    is_seen: Tensor  # (B,) bool; a crop without a visible image is black

    @property
    def images(self) -> Tensor:
        """(B, 3, R, R) float32 in 0..1, made on the batch's device."""
        return self.pixels.float() / 255


class PairedSampler(FaceSampler):
    """Batches of crops, each with the visible image where it lies: one matrix for both spectra.

    The student's crop is disturbed as in plain training, the teacher's is not: it is to say what there is to know. A
    texture without a face is the same for both. Drawing is that of ``FaceSampler``, number for number.
    """

    def __init__(self, resolution: int, *arguments: Any, **named: Any) -> None:
        """Keep the set.

        Args:
            resolution: edge of what the teacher sees.
            arguments: as ``FaceSampler`` takes them.
            named: the same.
        """
        super().__init__(*arguments, **named, finest_pixels=resolution)
        self._resolution = resolution

    def batches(self, step: int) -> tuple[TensorBatch, ...]:
        """The batch of a step, and what the teacher sees of it."""
        crops = self._draw_crops(step)
        return self._collate(crops), self._show(crops)

    def _show(self, crops: Sequence[Crop]) -> TeacherView:
        shown = np.zeros((len(crops), self._resolution, self._resolution, 3), np.uint8)
        is_seen = [crop.has_rgb or crop.face is None for crop in crops]
        for place, crop in enumerate(crops):
            if crop.has_rgb:
                shown[place] = crop_rgb(crop, self._settings.image_pixels, self._resolution)
            elif crop.face is None:
                size = (self._resolution, self._resolution)
                shown[place] = cv2.resize(crop.image, size, interpolation=cv2.INTER_LINEAR)
        return TeacherView(torch.from_numpy(shown).permute(0, 3, 1, 2), torch.tensor(is_seen))


class DistillationState(LandmarkTrainState):
    """A student in training.

    Terms: those of ``LandmarkTrainState``; ``truth``, the part of the total that plain training has; ``factor``, the
    weight of all that is distilled; and each term before it is weighted, 0 in the stage of the head. At some steps the
    norms ``gradient_truth`` and ``gradient_{term}`` of what each part of the total sends to the student.
    """

    def __init__(
        self, teacher: LandmarkNetwork | None, distillation: DistillationSettings, *arguments: Any, **named: Any
    ) -> None:
        """Start at step 0; random weights come from torch's global generator, the student's first.

        Args:
            teacher: on the student's device, frozen; None: without terms.
            distillation: how it teaches.
            arguments: as ``LandmarkTrainState`` takes them.
            named: the same.

        Raises:
            ValueError: teacher and student do not fit together.
        """
        self._teacher, self._distillation = teacher, distillation
        self._terms = {name: TERMS[name] for name in distillation.terms}
        self.term_names = (*LandmarkTrainState.term_names, "truth", "factor", *self._terms)
        if distillation.gradient_every:
            self.sparse_names = ("gradient_truth", *(f"gradient_{name}" for name in self._terms))
        super().__init__(*arguments, **named)

    def _wrap(self, network: LandmarkNetwork) -> nn.Module:
        raises = any(term.raises for term in self._terms.values())
        injects = any(term.injects for term in self._terms.values())
        return DistilledNetwork(network, self._teacher, raises, injects)

    @staticmethod
    def landmarker(trained: nn.Module) -> LandmarkNetwork:
        """The student."""
        return trained.student

    def compute(self, step: int, batch: LandmarkBatch, view: TeacherView | None = None) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        steps, distillation = self._settings.steps, self._distillation
        head_only = step >= round((1 - distillation.head_share) * steps)
        factor = 0.0 if head_only or not self._terms else decay_factor(step, steps, distillation.decay)
        features = self._look(batch, view) if factor else None
        answers = self._forward(batch.images, features, self._precise(), head_only)
        truth, *plain = self._supervise(answers.found, batch)
        losses, total = {}, truth
        if features is not None:
            lesson = self._lesson(answers, features, batch, view)
            losses = {name: term.loss(lesson) for name, term in self._terms.items()}
            weighted = {name: factor * distillation.weights[name] * loss for name, loss in losses.items()}
            total = truth + sum(weighted.values())
        terms = [total, *plain, truth.detach(), truth.new_tensor(factor)]
        terms += [losses.get(name, truth.new_zeros(())) for name in self._terms]
        if distillation.gradient_every:
            parts = {"truth": truth, **(weighted if losses else {})}
            is_due = step % distillation.gradient_every == 0
            terms += [self._gradient_norm(parts.get(name) if is_due else None) for name in ("truth", *self._terms)]
        return tuple(terms)

    def _precise(self) -> Any:
        return autocast_body(self._precision, self._device)

    @torch.no_grad()
    def _look(self, batch: LandmarkBatch, view: TeacherView | None) -> tuple[Tensor, ...]:
        """The teacher's features of what it sees."""
        images = batch.images if view is None else view.images
        pixels = self._teacher.architecture.image_pixels
        if images.shape[-1] != pixels:
            images = nn.functional.interpolate(images, (pixels, pixels), mode="bilinear", antialias=True)
        return self._teacher.features(images, self._precise())

    def _lesson(
        self, answers: Any, features: tuple[Tensor, ...], batch: LandmarkBatch, view: TeacherView | None
    ) -> Lesson:
        is_seen = torch.ones_like(batch.is_face) if view is None else view.is_seen
        with torch.no_grad():
            taught = self._teacher.points_of(features, self._precise())
        return Lesson(
            found=answers.found,
            raised=answers.raised,
            injected=answers.injected,
            taught_features=features,
            taught=taught,
            teacher=self._teacher,
            body_precision=self._precise,
            points=batch.points,
            weights=batch.weights * is_seen[:, None],
            is_seen=is_seen,
            beta=self._settings.nll_beta,
        )

    def _gradient_norm(self, part: Tensor | None) -> Tensor:
        """Norm of a part's gradient over the student's parameters; NaN where it is not measured."""
        if part is None:
            return torch.tensor(torch.nan, device=self._device)
        student = [p for p in self.network.student.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(part, student, retain_graph=True, allow_unused=True)
        norms = [gradient.float().norm() for gradient in gradients if gradient is not None]
        return torch.stack([part.new_zeros(()), *norms]).norm()


@dataclass(frozen=True)
class Distillation:
    """A teacher with the way it teaches; what :func:`tfake.landmarks.landmark_training.train_landmarks` takes.

    Attributes:
        settings: how it teaches.
        teacher: frozen, on the device of the training; None where no term needs one.
    """

    settings: DistillationSettings
    teacher: LandmarkNetwork | None = None

    def __post_init__(self) -> None:
        """Raise a ValueError where terms have no teacher."""
        if self.settings.terms and self.teacher is None:
            raise ValueError(f"the terms {', '.join(self.settings.terms)} need a teacher; found none")

    @classmethod
    def open(cls, settings: DistillationSettings, weights: str | Path | None, landmarks: int, device: Any) -> Self:
        """Load a teacher's weights.

        Args:
            settings: how it teaches.
            weights: a file of this workflow's landmark networks; None: there is no teacher.
            landmarks: how many points the student finds; of a teacher for both sets, those are taken.
            device: where the student is trained.

        Raises:
            FileNotFoundError: no such file.
            ValueError: it is no landmark network, or finds other points.
        """
        if weights is None or not settings.terms:
            return cls(settings)
        return cls(settings, freeze(load_landmark_weights(weights)[0].select(landmarks)).to(device))

    def make_sampler(self, *arguments: Any, **named: Any) -> FaceSampler:
        """A sampler of what the student sees and, where that is something else, the teacher."""
        if self.teacher is None or self.settings.teacher_sees == "same":
            return FaceSampler(*arguments, **named)
        return PairedSampler(self.teacher.architecture.image_pixels, *arguments, **named)

    def make_run(self, settings: LandmarkSettings, *arguments: Any, **named: Any) -> LandmarkTrainState:
        """The run's state; kernels are not compiled, since compiled graphs cannot be asked for several gradients."""
        return DistillationState(self.teacher, self.settings, replace(settings, compile=False), *arguments, **named)
