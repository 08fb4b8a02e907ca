"""How good landmarks are: errors with named normalisers, detection, coverage, baselines, and the page."""
