"""A variant as a published dataset."""
