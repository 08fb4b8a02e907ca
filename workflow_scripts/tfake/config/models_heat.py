"""Keys of the temperature model as variants use it: whose temperatures, how these people are, and the lens."""

from typing import TYPE_CHECKING, Literal

from tfake.config.keys import Natural, Section, changes_to, key


class State(Section):
    """How the people are today; all as drawn by default."""

    fever_kelvin: float = key(
        0.0, "Rise of the core's temperature, which skin follows the more the nearer it is to it.", ge=-5, le=5
    )
    nose_kelvin: float = key(0.0, "Added to the nose, whose vessels close in the cold and under stress.", ge=-15, le=15)
    canthi_kelvin: float = key(0.0, "Added to the inner corners of the eyes.", ge=-15, le=15)
    perfusion: float = key(
        1.0, "Factor on the fine pattern of perfusion and vessels; 0 takes it away.", unit="1", ge=0, le=5
    )
    breath: float | None = key(
        None, "Phase of breathing, from -1 (in) to 1 (out); null draws one a person.", unit="1", ge=-1, le=1
    )


class Lens(Section):
    """What a good thermal camera does to an image."""

    blur_pixels: float = key(
        1.0, "Standard deviation of the optics' Gaussian point spread, in pixels of an image 512 wide.", ge=0, le=100
    )
    netd_kelvin: float = key(0.03, "Standard deviation of the temporal noise.", ge=0, le=100)


class Heat(Section):
    """Whose temperatures variants show, and through which lens; a variant's own `heat` changes some of this."""

    persons: Literal["drawn", "mean"] = key(
        "drawn", "One person an image, drawn from (seed, image id), or the mean person of all."
    )
    seed: Natural = key(0, "Seed of the people, and of the lens's noise.")
    tables: Literal["measured", "charlotte"] = key(
        "measured", "Parameters of the temperature model: of several sets of real faces, or of CHARLOTTE's lines alone."
    )
    state: State
    lens: Lens | None = key(
        ..., "The optics and the detector; null leaves images without blur and noise, with the class map's edges."
    )


if TYPE_CHECKING:
    HeatChanges = Heat  # what is made at run time is no type to a checker
else:
    HeatChanges = changes_to(Heat)
