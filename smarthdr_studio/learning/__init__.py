"""Everything that learns: networks, losses, the mean-teacher loop. Torch, never Qt."""
