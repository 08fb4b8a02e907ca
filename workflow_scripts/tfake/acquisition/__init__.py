"""Downloads of published archives, whole or in part, with their terms."""
