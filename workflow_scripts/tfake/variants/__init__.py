"""Kinds of variants."""
