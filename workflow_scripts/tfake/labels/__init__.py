"""Dense landmarks: finding them and telling how they were found."""
