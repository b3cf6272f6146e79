"""Ground truth that a person brings to a scene: looked at, mended, kept."""
