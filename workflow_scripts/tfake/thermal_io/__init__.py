"""Reading what thermal cameras and their programs write: every format behind one call, and one kind of error."""

from tfake.thermal_io.formats import FORMATS, SUFFIXES
from tfake.thermal_io.frames import Frame, IncompleteError, Recording, ThermalFileError
from tfake.thermal_io.thermal_reading import ThermalImage, iterate_thermal, open_thermal, read_thermal

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Frame",
    "IncompleteError",
    "Recording",
    "ThermalFileError",
    "ThermalImage",
    "iterate_thermal",
    "open_thermal",
    "read_thermal",
]
