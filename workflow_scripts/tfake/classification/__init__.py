"""Classes of faces: expressions from sequences, and the apparent sex of synthetic people, which is opt-in."""
