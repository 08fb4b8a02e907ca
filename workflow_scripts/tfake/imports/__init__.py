"""Thermal images that others published for the source's faces, brought into a store of this workflow."""
