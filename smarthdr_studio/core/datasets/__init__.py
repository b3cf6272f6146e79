"""Datasets as they lie on disk, and ground truth that comes from elsewhere."""
