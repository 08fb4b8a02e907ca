"""Procedural people: heads, hair, clothes, pictures and temperatures."""
