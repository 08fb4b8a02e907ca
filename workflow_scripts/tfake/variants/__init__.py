"""The kinds of stores, and what others publish for them."""
