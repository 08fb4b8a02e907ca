"""Bringing published data here: files over HTTP, single members of remote archives, and what is known of both."""
