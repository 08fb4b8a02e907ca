"""T-FAKE rebuilt: synthetic radiometric thermal faces with labels.

This package is the library behind the Snakemake workflow; it never imports Snakemake. Between the network's edge
and the store's edge every thermal array is float32 in degrees Celsius (see :mod:`tfake.radiometry`).
"""

__version__ = "0.1.0"
