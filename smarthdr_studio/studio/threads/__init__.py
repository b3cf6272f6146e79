"""The studio's door to slow work: one thread for training, plain functions for all else."""
