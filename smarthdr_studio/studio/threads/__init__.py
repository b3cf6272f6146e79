"""The studio's door to slow work: one thread for training, short ones for everything else."""
