"""What the rules of distillation ask of a config: who teaches whom, by what, and with which settings."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from tfake.config.plan_rules import Wildcards, in_key_order

if TYPE_CHECKING:
    from tfake.config.plan import Plan

#: The thermal network between the teacher and the small students.
THERMAL = "thermal"
#: Names that no small student may have: their folders are others'.
RESERVED_STUDENTS = (THERMAL, "teacher")
#: A student's teacher: the RGB network; or the thermal one, taught by it.
ROUTES = ("direct", "levels")
_FOLDER = "results/distillation"


class DistilledRun(NamedTuple):
    """One training of the study: which network, from whom, by which arm, and its seed."""

    student: str
    route: str
    lesson: str
    seed: int


class DistillationPlan:
    """The trainings of the study."""

    def __init__(self, plan: "Plan") -> None:
        """Take a plan."""
        self._plan = plan
        self._settings = plan.config["distillation"]
        self.points: int = self._settings["points"]
        #: Tasks of the teacher and of everybody else.
        self.teacher_task, self.task = f"rgb_{self.points}", f"thermal_{self.points}"
        self.routes = ROUTES
        self.students = (THERMAL, *self._settings["students"])
        self.arms = tuple(self._settings["arms"])
        self.seeds = tuple(self._settings["seeds"])
        #: The arm that the others are compared with, and the one by which small students are taught.
        self.baseline, self.student_arm = self.arms[0], self._settings["student_arm"]
        self.runs = tuple(self._find_runs())

    def _find_runs(self) -> Iterator[DistilledRun]:
        for seed in self.seeds:
            for arm in self.arms:
                yield DistilledRun(THERMAL, "direct", arm, seed)
            for student in self._settings["students"]:
                yield DistilledRun(student, "direct", self.baseline, seed)
                for route in ROUTES if self.student_arm != self.baseline else ():
                    yield DistilledRun(student, route, self.student_arm, seed)

    def folder(self, run: DistilledRun) -> str:
        """Where the files of a training are."""
        return f"{_FOLDER}/{run.student}/{run.route}/{run.lesson}/{run.seed}/{self.task}"

    def files(self, name: str) -> list[str]:
        """A file of each training, in the order of ``runs``."""
        return [f"{self.folder(run)}/{name}" for run in self.runs]

    @property
    def described(self) -> list[list[Any]]:
        """Student, route, arm and seed of each training, in the same order."""
        return [list(run) for run in self.runs]

    def set_files(self, name: str) -> list[str]:
        """A file of each training on each annotated set that is there."""
        return [path for testset in self.sets for path in self.files(f"sets/{testset}/{name}")]

    @property
    def sets(self) -> tuple[str, ...]:
        """Annotated sets of others that are there."""
        return self._plan.realism.scored

    def teacher_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings of the teacher."""
        return in_key_order({**self._plan.landmarks.settings(wildcards), **self._settings["teacher"], **self._steps})

    def settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """The training settings of a student."""
        own = self._settings["students"].get(wildcards.student, {})
        base = self._plan.landmarks.settings(wildcards)
        return in_key_order({**base, **own, **self._steps, "seed": int(wildcards.seed)})

    @property
    def _steps(self) -> dict[str, int]:
        steps = self._settings["steps"]
        return {} if steps is None else {"steps": steps}

    def lesson(self, wildcards: Wildcards) -> dict[str, Any]:
        """How a student is taught, as :class:`tfake.landmarks.distillation_training.DistillationSettings` takes it."""
        arm = self._settings["arms"][wildcards.lesson]
        return in_key_order(
            {
                "weights": {term: self._settings["weights"][term] for term in arm["terms"]},
                "decay": arm.get("decay", "linear"),
                "head_share": arm.get("head_share", 0.0),
                "teacher_sees": "same" if wildcards.route == "levels" else "rgb",
                "gradient_every": self._settings["gradient_every"],
            }
        )

    def teacher(self, wildcards: Wildcards) -> list[str]:
        """The weights of a student's teacher; none where nothing is taught."""
        if not self._settings["arms"][wildcards.lesson]["terms"]:
            return []
        if wildcards.route == "direct":
            return [f"{_FOLDER}/teacher/{self.teacher_task}/weights.pt"]
        return [f"{self.folder(DistilledRun(THERMAL, 'direct', self.student_arm, wildcards.seed))}/weights.pt"]

    def landmarkers(self, wildcards: Wildcards) -> dict[str, str]:
        """The weights that are scored on annotated sets, by their name."""
        run = DistilledRun(wildcards.student, wildcards.route, wildcards.lesson, wildcards.seed)
        return {wildcards.student: f"{self.folder(run)}/weights.pt"}

    def weights(self, wildcards: Wildcards) -> list[str]:
        """The same, to wait for."""
        return list(self.landmarkers(wildcards).values())
