"""Annotated sets of real thermal faces."""
