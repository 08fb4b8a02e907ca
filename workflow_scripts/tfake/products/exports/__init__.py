"""A variant in other formats."""
