"""The page of the sequences: players, curves and failures."""
