"""A variant in the formats of others, made on demand from the stores and by way of the reader."""
