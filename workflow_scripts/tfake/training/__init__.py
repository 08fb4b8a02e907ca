"""One trainer for every network: settings, loop, checkpoints, processes and files of weights."""
