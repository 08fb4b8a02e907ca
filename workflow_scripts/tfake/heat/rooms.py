"""How the differences on the skin grow as a room cools."""

from tfake.heat.tables import COLD_CELSIUS

CORE_CELSIUS = 37.0


def contrast(ambient_celsius: float) -> float:
    """Scale of differences on the skin, 1 at an ambient of 20 °C and 0 at the core's 37 °C."""
    return max(0.0, (CORE_CELSIUS - ambient_celsius) / (CORE_CELSIUS - COLD_CELSIUS))
