"""Real annotated thermal faces, read as they are published: every row used, or left out with its reason."""
