"""Networks that turn RGB into temperature, their losses and their training."""
