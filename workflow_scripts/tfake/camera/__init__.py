"""A thermal camera: optics, detector and display."""
