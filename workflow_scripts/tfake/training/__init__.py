"""One trainer for every network here: a run's state, its steps, its checkpoints, its chance and its processes."""
