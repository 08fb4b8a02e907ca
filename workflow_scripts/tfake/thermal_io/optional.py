"""Libraries that only some formats need: the extra ``cameras``."""

from importlib import import_module
from types import ModuleType

from tfake.thermal_io.frames import ThermalFileError

EXTRA = "cameras"


def import_optional(module: str) -> ModuleType:
    """Import a module of the extra.

    Raises:
        ThermalFileError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ThermalFileError(
            f"it needs the package {module}, which is not installed: pip install 'tfake-workflow[{EXTRA}]'"
        ) from error
