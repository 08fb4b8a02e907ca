"""Landmarks with their uncertainty, in thermal and visible images: network, training, detection."""
