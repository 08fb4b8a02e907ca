"""The study of the loss's terms: what each arm makes of held-out faces, side by side."""
