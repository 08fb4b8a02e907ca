"""Experiments on the dataset: the ablation, the landmark study and test sets."""
