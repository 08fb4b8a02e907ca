"""Dense landmarks, their corrections and their quality."""
