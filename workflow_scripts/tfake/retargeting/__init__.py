"""Still faces set in motion: a mesh laid over each is moved by curves or a film, and the picture with it."""
