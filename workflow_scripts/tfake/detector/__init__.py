"""A single-stage face detector: every face of a picture in one pass."""
