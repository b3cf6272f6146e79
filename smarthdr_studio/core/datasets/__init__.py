"""Datasets as they lie on disk, and ground truth imported from other files."""
