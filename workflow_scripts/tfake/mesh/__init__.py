"""Triangle meshes: the mean head, subdivision and a z-buffer."""
