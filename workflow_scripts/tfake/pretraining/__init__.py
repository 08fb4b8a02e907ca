"""Pretraining of the landmark network's encoder on images without points: pretexts, their views, the training."""
