"""The heat of a face: temperatures of skin and coverings, people, and surfaces registered in images."""
