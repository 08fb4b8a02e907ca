"""From one landmark set to another: the plain index mapping, and small networks that do better."""
