"""Crops, warps, augmentation and foreground."""
