"""Two datasets side by side: their settings, their checksums, their statistics and, if asked for, their pixels."""
